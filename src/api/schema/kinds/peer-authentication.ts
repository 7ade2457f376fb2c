/**
 * The structure of a PeerAuthentication.
 * Source: https://istio.io/latest/docs/reference/config/security/peer_authentication/
 */
import { workloadSelector } from "../parts/workload-selector.ts";
import { PORT_KEY, PORTS_NEED_SELECTOR } from "../rules.ts";
import { choice, mapOf, type ObjectSchema, object, resource } from "../schema.ts";

const spec = object(
  {
    mtls: object({ mode: choice(["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]) }),
    portLevelMtls: mapOf(object({ mode: choice(["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]) }), {
      minProperties: 1,
      keys: [PORT_KEY],
    }),
    selector: workloadSelector,
  },
  { rules: [PORTS_NEED_SELECTOR] },
);

export const peerAuthenticationSchema: ObjectSchema = resource(spec, "optional");
