/** All that it takes to serve Envoys and that nothing else needs: the translation of views, Envoy's messages, what is encoded. */
import { authorizationSteps } from "../../envoy/authorization/authorization-steps.ts";
import { envoyResources } from "../../envoy/envoy-resources.ts";
import type { Log } from "../../runtime/log.ts";
import * as messages from "../../wire/envoy/discovery-messages.ts";
import { encodeResource } from "../../wire/envoy/encode-resource.ts";
import { authorizationWay } from "./authorization-way.ts";
import { earlyAuthorization } from "./early-authorization.ts";
import { earlyEndpoints } from "./early-endpoints.ts";
import { EncodedResources } from "./encoded-resources.ts";
import type { AuthorizationWay } from "./proxy-conversation.ts";
import { deltaProtocol, type ProxyProtocol, stateProtocol } from "./proxy-protocol.ts";
import type { ProxyStreamOptions } from "./proxy-stream.ts";

export interface ProxyMaterial {
  readonly protocols: Readonly<Record<"delta" | "stateOfTheWorld", ProxyProtocol>>;
  readonly resourcesOf: ProxyStreamOptions["resourcesOf"];
  readonly authorizedBy: ProxyStreamOptions["authorizedBy"];
  readonly endpointsOf: ProxyStreamOptions["endpointsOf"];
  readonly authorizationWay: AuthorizationWay;
}

export function openProxyMaterial(log: Log): ProxyMaterial {
  const encoded = new EncodedResources(encodeResource, log);
  return {
    protocols: { delta: deltaProtocol(messages), stateOfTheWorld: stateProtocol(messages) },
    resourcesOf: (view, { settings, before }) => encoded.of(envoyResources(view, settings), before),
    authorizedBy: earlyAuthorization(encoded),
    endpointsOf: earlyEndpoints(encoded),
    authorizationWay: authorizationWay(authorizationSteps, encoded),
  };
}
