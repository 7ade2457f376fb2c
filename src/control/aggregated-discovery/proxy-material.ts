/** All that it takes to serve Envoys and that nothing else needs: the translation of views, Envoy's messages, what is encoded. */
import { authorizationSteps } from "../../envoy/authorization/authorization-steps.ts";
import { envoyResources } from "../../envoy/envoy-resources.ts";
import { proxylessResources } from "../../envoy/proxyless/proxyless-resources.ts";
import type { Log } from "../../runtime/log.ts";
import * as messages from "../../wire/envoy/discovery-messages.ts";
import { encodeResource } from "../../wire/envoy/encode-resource.ts";
import * as packing from "../../wire/envoy/packed-messages.ts";
import type { Caller } from "../../wire/grpc-service.ts";
import { authorizationWay } from "./authorization-way.ts";
import { earlyAuthorization } from "./early-authorization.ts";
import { earlyEndpoints } from "./early-endpoints.ts";
import { EncodedResources } from "./encoded-resources.ts";
import type { AuthorizationWay } from "./proxy-conversation.ts";
import { deltaProtocol, type ProxyProtocol, stateProtocol } from "./proxy-protocol.ts";
import type { ProxyStreamOptions } from "./proxy-stream.ts";
import { plainResponse, ResponsePacking } from "./response-packing.ts";

export interface ProxyMaterial {
  readonly protocols: Readonly<Record<"delta" | "stateOfTheWorld", ProxyProtocol>>;
  /** By what its side of the connection says it can read. */
  readonly packingFor: (caller: Caller) => ProxyStreamOptions["pack"];
  readonly resourcesOf: ProxyStreamOptions["resourcesOf"];
  readonly authorizedBy: ProxyStreamOptions["authorizedBy"];
  readonly endpointsOf: ProxyStreamOptions["endpointsOf"];
  readonly authorizationWay: AuthorizationWay;
}

export function openProxyMaterial(log: Log): ProxyMaterial {
  const encoded = new EncodedResources(encodeResource, log);
  const packed = new ResponsePacking(packing);
  return {
    packingFor: (caller) =>
      caller.headers(packing.PACKING_HEADER).includes(packing.PACKING)
        ? (response) => packed.pack(response)
        : plainResponse,
    protocols: { delta: deltaProtocol(messages), stateOfTheWorld: stateProtocol(messages) },
    resourcesOf: (view, { settings, before }) => {
      const isProxyless = settings.generator === "grpc";
      const resources = isProxyless ? proxylessResources(view) : envoyResources(view, settings);
      return encoded.of(resources, before);
    },
    authorizedBy: earlyAuthorization(encoded),
    endpointsOf: earlyEndpoints(encoded),
    authorizationWay: authorizationWay(authorizationSteps, encoded),
  };
}
