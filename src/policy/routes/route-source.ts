/** What VirtualServices and HTTPRoutes have in common: hosts, and routes for whoever asks. */
import type { Labels } from "../../api/resource.ts";
import type { StreamRoute } from "./stream-route.ts";
import type { HttpRoute } from "./virtual-host.ts";

export interface RouteSource {
  /** Of its own; those of one source are not added twice to a host. */
  readonly key: string;
  readonly namespace: string;
  /** Whether its routes count in their own order, or with those of others by how specific they are. */
  readonly order: "as written" | "by precedence";
  /** Full names in lower case. */
  readonly hosts: readonly string[];
  /** In the order they count. */
  httpRoutes(context: RouteContext): readonly HttpRoute[];
  /** By server name, for TLS that is passed on. */
  tlsRoutes(context: RouteContext): readonly StreamRoute[];
  tcpRoutes(context: RouteContext): readonly StreamRoute[];
}

/** For whom routes are made. */
export interface RouteContext {
  /** `NAMESPACE/NAME` of a Gateway, or `mesh`. */
  readonly gateway: string;
  readonly client: { readonly namespace: string; readonly labels: Labels };
  /** Of the gateway's server; absent in a sidecar, whose routes keep the port as a condition. */
  readonly port?: number;
  /** Ports of the service that has the host; none: it is not known. */
  portsOf(host: string): readonly number[];
}

/** A destination without a port means the only one of its service, or the port that was called. */
export function destinationPort(
  { host, port }: { readonly host: string; readonly port?: number },
  context: RouteContext,
): number {
  if (port !== undefined) return port;
  const [only, ...others] = context.portsOf(host);
  return only !== undefined && others.length === 0 ? only : (context.port ?? CALLED_PORT);
}

/** Of a sidecar's route: the port that was called. */
export const CALLED_PORT = 0;
