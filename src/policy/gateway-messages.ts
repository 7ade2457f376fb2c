/**
 * What the gateway of a mesh of network namespaces is told, over an inherited pipe, by whoever started it. The gateway
 * stands beside the bridge: it answers names, lets connections out through the host, and lets the host's in.
 */
import type { Destination } from "./workload-view.ts";

export interface GatewayStart {
  readonly type: "start";
  /** Addresses of the bridge to serve DNS at, port 53, UDP and TCP. */
  readonly dnsAddresses: readonly string[];
  /** TCP port to which connections for addresses outside the mesh are redirected, on every address of the bridge. */
  readonly egressPort: number;
  /** Unix socket of the host side, which connects to the outside for us (see `local/network/host-gate.ts`). */
  readonly egressSocket: string;
  /** Unix socket to listen on: the host side brings connections to published service ports. */
  readonly ingressSocket: string;
  /** Every port of every service, with those of its endpoints that are ready. */
  readonly destinations: readonly Destination[];
}

export type GatewayInstruction =
  | GatewayStart
  | { readonly type: "destinations"; readonly destinations: readonly Destination[] };

export type GatewayReport =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly problem: string };
