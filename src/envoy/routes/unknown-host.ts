/** What a request is answered whose host is no service, where nothing else may be reached. */
import type { EnvoyRoute } from "../envoy-json.ts";

/** Istio's name of such routes; by it an agent knows what became of the request. */
export const BLOCK_ALL = "block_all";

/** As our own sidecar's, but for the name: whoever asked knows it. */
const BODY =
  "this host and port are no service and port of the mesh, and nothing else can be reached from here (as with REGISTRY_ONLY): a ServiceEntry would make it known\n";

/** @param match which requests: all, or those for tunnels */
export function unknownHost(match: NonNullable<EnvoyRoute["match"]>): EnvoyRoute {
  return {
    name: BLOCK_ALL,
    match,
    directResponse: { status: 502, body: { inlineString: BODY } },
  };
}
