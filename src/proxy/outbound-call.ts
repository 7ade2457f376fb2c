/** What is known of one connection of the application's own. */
import type { Decision } from "../policy/decision.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type {
  Destination,
  DestinationSubset,
  Endpoint,
  Outbound,
} from "../policy/workload-view.ts";
import { calledAt, goesAsCalled } from "./called-destination.ts";
import type { CompiledView } from "./compiled-view.ts";
import type { CallFacts } from "./recorder.ts";

export interface OutboundCall {
  readonly facts: CallFacts;
  /** How the application says where it wants to go; "unknown" for an address that is no destination of the mesh. */
  readonly via: "http-proxy" | "unknown" | DestinationName;
  /** It called the destination itself, and the kernel led it here: what it calls it by is understood everywhere. */
  readonly captured?: true;
}

/** One for all: its text is made once. */
export const UNKNOWN_DESTINATION: Decision = {
  verdict: "deny",
  reason: { because: "unknown-destination" },
};

/** A destination by name: the newest view says what stands behind it. */
export interface DestinationName
  extends Pick<Destination, "host" | "servicePort">,
    Partial<Pick<DestinationSubset, "subset">> {
  /** The one endpoint that is meant, of a headless service; or where a call goes that has no endpoint of its own. */
  readonly only?: SocketAddress;
}

/** With the endpoints that the caller means. */
export function namedDestination(
  destinations: CompiledView["destinations"],
  name: DestinationName,
): Destination | undefined {
  const { only } = name;
  const found = destinations.get(outboundCluster(name));
  if (found === undefined || only === undefined) return found;
  if (goesAsCalled(found)) return calledAt(found, only);
  const meant = ({ address }: Endpoint): boolean =>
    address.address === only.address && address.port === only.port;
  return { ...found, endpoints: found.endpoints.filter(meant) };
}

/** A destination, or what one of its subsets is. */
export type AnyDestination = Destination & Partial<Pick<DestinationSubset, "subset">>;

/** `outbound|8080||api.production.svc.cluster.local`; of a subset its name stands in the middle. */
export function outboundCluster({
  host,
  servicePort,
  subset = "",
}: Omit<DestinationName, "only">): string {
  return `outbound|${servicePort}|${subset}|${host}`;
}

/** Whatever may be called, by whatever name. */
export function allDestinations({
  destinations,
  subsets,
}: Pick<Outbound, "destinations" | "subsets">): readonly AnyDestination[] {
  return subsets === undefined ? destinations : [...destinations, ...subsets];
}
