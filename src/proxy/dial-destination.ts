/** A connection of its own to a destination: endpoints are tried one after the other, as its balancer chooses them. */
import { setTimeout as delay } from "node:timers/promises";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination, Endpoint } from "../policy/workload-view.ts";
import type { SelectionProblem } from "./balancing/selection.ts";
import type { CallSelection } from "./destination-balancer.ts";
import { DestinationAttempts } from "./destination-balancer-attempts.ts";
import type { DestinationBalancers } from "./destination-balancers.ts";
import type { OutboundTargets } from "./outbound-targets.ts";
import type { CallFacts } from "./recorder.ts";
import { type Upstream, UpstreamConnectError } from "./upstream-dialer.ts";

export interface DialledDestination {
  readonly facts: CallFacts;
  readonly destination: Destination;
  /** See `DestinationName`. */
  readonly only: SocketAddress | undefined;
}

export interface DialMeans {
  readonly targets: Pick<OutboundTargets, "dial">;
  readonly balancers: DestinationBalancers;
  /** Whether nobody waits for the connection any more. */
  readonly isLeft: () => boolean;
}

export interface Dialled {
  readonly attempts: DestinationAttempts<Endpoint>;
  readonly upstream: Upstream;
  readonly target: SocketAddress;
}

export interface DialFailure {
  readonly failure: {
    readonly flags: "UF" | "UH" | "UO";
    readonly reason?: string;
    readonly target?: SocketAddress;
  };
}

/** Whoever is given a connection says by its `attempts` when it is over. */
export async function dialDestination(
  called: DialledDestination,
  { targets, balancers, isLeft }: DialMeans,
): Promise<Dialled | DialFailure> {
  const { destination } = called;
  const selection = select(called, balancers);
  if (selection === "overflow") return { failure: { flags: "UO" } };
  if (selection === "no-healthy-upstream") return { failure: { flags: "UH" } };
  const attempts = new DestinationAttempts(selection, (endpoint) => endpoint);
  let endpoint = attempts.first();
  for (;;) {
    const target = endpoint.address;
    try {
      const upstream = await targets.dial(destination, { endpoint, content: "tcp" });
      attempts.sent();
      return { upstream, target, attempts };
    } catch (error) {
      const next =
        error instanceof UpstreamConnectError ? attempts.after(endpoint, error) : undefined;
      if (next === undefined || isLeft()) attempts.done();
      if (!(error instanceof UpstreamConnectError)) throw error;
      const failure = { flags: "UF", reason: error.reason, target } as const;
      if (next === undefined || isLeft()) return { failure };
      endpoint = next.endpoint;
      await delay(next.pauseMs);
    }
  }
}

function select(
  { facts, destination, only }: DialledDestination,
  balancers: DestinationBalancers,
): CallSelection | SelectionProblem {
  const hashInput = { source: facts.remote, local: facts.local };
  const call = { carried: "tcp", hashInput, ...(only !== undefined && { only }) } as const;
  return balancers.of(destination)?.select(call) ?? "no-healthy-upstream";
}
