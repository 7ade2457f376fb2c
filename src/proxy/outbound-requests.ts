/** What every request to a destination has in common, whoever sends it there: the application's sidecar, or a gateway. */
import { DEFAULT_TRAFFIC_POLICY } from "../policy/effective-traffic-policy.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination } from "../policy/workload-view.ts";
import { applicationProtocol } from "./application-protocol.ts";
import type { BalancedCall, DestinationBalancer } from "./destination-balancer.ts";
import type { Answer, Exchange } from "./exchange.ts";
import { outboundCluster } from "./outbound-call.ts";
import type { RequestContent } from "./outbound-targets.ts";
import type { CallFacts } from "./recorder.ts";

const ANY_ENDPOINT: BalancedCall = { carried: "http" };

/** Of which connection it is, and who is to spread it. */
export interface Balanced {
  readonly balancer: DestinationBalancer;
  readonly facts: CallFacts;
  /** The one endpoint that is meant. */
  readonly only?: SocketAddress | undefined;
}

export function balancedRequest(
  { headers, path }: Pick<Exchange, "headers" | "path">,
  { balancer: { sticks }, facts, only }: Balanced,
): BalancedCall {
  if (only === undefined && !sticks) return ANY_ENDPOINT;
  const { remote: source, local } = facts;
  const hashInput = sticks ? { source, local, fields: headers, path } : undefined;
  return { carried: "http", only, hashInput };
}

export const NO_ENDPOINT: Answer = {
  status: 503,
  body: "no endpoint of the service serves now\n",
  flags: "UH",
  details: "no_healthy_upstream",
};
export const OVERFLOW: Answer = {
  status: 503,
  body: "too many requests to the service are under way\n",
  headers: ["x-envoy-overloaded", "true"],
  flags: "UO",
  details: "upstream_reset_before_response_started{overflow}",
};

/** What requests share a connection for. */
export function contentOf(
  { upgrade, protocol }: Pick<Exchange, "upgrade" | "protocol">,
  destination: Destination | undefined,
): RequestContent {
  if (upgrade !== "none" || destination === undefined) return "upgrade";
  const { httpVersion } = (destination.trafficPolicy ?? DEFAULT_TRAFFIC_POLICY).connectionPool;
  return applicationProtocol({ protocol: destination.protocol, httpVersion }, protocol);
}

/** As the callee is told: TLS of others carries `https`, that of the mesh what the application said. */
export function schemeOf({
  tlsOrigination,
}: Pick<Destination, "tlsOrigination">): "http" | "https" {
  return tlsOrigination === undefined ? "http" : "https";
}

/** By what was known before, the last made: its identity is what logs and metrics find their texts and series by. */
const lastDeparted = new WeakMap<CallFacts, CallFacts>();

/** What is known of a call once it is known where it goes; the same object again for the same destination. */
export function withDestination(facts: CallFacts, destination: Destination | undefined): CallFacts {
  if (destination === undefined || destination === facts.destination) return facts;
  const last = lastDeparted.get(facts);
  if (last !== undefined && last.destination === destination) return last;
  const departed = { ...facts, destination, cluster: outboundCluster(destination) };
  lastDeparted.set(facts, departed);
  return departed;
}
