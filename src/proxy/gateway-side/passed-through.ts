/**
 * Mutual TLS of the mesh that a gateway passes on unopened (AUTO_PASSTHROUGH, TLS-44): the server name says which service is
 * meant. Who calls is verified by the callee's sidecar alone, so nothing is passed on that it could take for anything but
 * mutual TLS: the client has to offer a name of the mesh's by ALPN, and the endpoint has to be one that speaks it. None of
 * our TLS is put around it either: our identity would vouch for a stranger.
 * Source: `createGatewayTCPFilterChainOpts` and `EndpointsWithMTLSFilter` of istio/istio; CVE-2021-31921
 */
import type { SocketAddress } from "../../policy/workload.ts";
import type { Destination } from "../../policy/workload-view.ts";
import { MESH_HTTP, MESH_TCP } from "../mesh-protocols.ts";
import type { OutboundTargets } from "../outbound-targets.ts";
import { reachable } from "../reachable-endpoints.ts";
import { UpstreamConnectError } from "../upstream-dialer.ts";
import type { EdgeCall } from "./edge-call.ts";

/** @returns undefined where nothing may be passed on */
export function passedThrough(
  { serverName, offered }: Pick<EdgeCall, "serverName" | "offered">,
  destinations: readonly Destination[],
): Destination | undefined {
  const isOfTheMesh = offered.some((name) => MESH_HTTP.includes(name) || MESH_TCP.includes(name));
  if (serverName === undefined || !isOfTheMesh) return undefined;
  return destinations.find(
    (one) =>
      one.serverName.toLowerCase() === serverName &&
      one.tlsOrigination === undefined &&
      one.endpoints.some(({ mutualTls }) => mutualTls),
  );
}

/**
 * The one endpoint that is called where some of them have no sidecar: then the destination's balancer may not choose.
 *
 * @param chance from 0, below 1
 */
export function onlyEndpoint(destination: Destination, chance: number): SocketAddress | undefined {
  const reach = reachable(destination);
  const open = "refused" in reach ? [] : reach.destination.endpoints;
  const speaking = open.filter(({ mutualTls }) => mutualTls);
  if (speaking.length === open.length) return undefined;
  return speaking[Math.floor(chance * speaking.length)]?.address;
}

/** Dials endpoints that speak mutual TLS without speaking it; of a newer view the chosen one may have no sidecar any more. */
export function unopened(targets: Pick<OutboundTargets, "dial">): Pick<OutboundTargets, "dial"> {
  return {
    async dial(destination, { endpoint, content }) {
      if (!endpoint.mutualTls)
        throw new UpstreamConnectError("tcp", new Error("it has no sidecar"));
      return targets.dial(destination, { endpoint: { ...endpoint, mutualTls: false }, content });
    },
  };
}
