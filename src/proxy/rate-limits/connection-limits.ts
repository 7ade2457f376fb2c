/**
 * Limits of connections, counted when they begin, and of those that last, until they end. A connection is counted once its
 * caller is known and let in, so that one that is refused spends nothing.
 */
import type { Socket } from "node:net";
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";
import type { Decision, Reason } from "../../policy/decision.ts";
import type { LimitOutcome } from "../../policy/rate-limits/limit-outcome.ts";
import type { Connection } from "../../policy/traffic.ts";
import type { Trust } from "../../policy/workload-view.ts";
import { CountedLimit } from "./counted-limit.ts";
import type { KnownLimits } from "./known-limits.ts";
import type { Asker } from "./limit-meter.ts";

export interface AdmittedConnection {
  /** By the first limit in force without room; absent: let in. */
  readonly refused?: LimitOutcome;
  /** By limits on trial. */
  readonly trials: readonly LimitOutcome[];
  /** To be called once, when a connection that was let in has ended. */
  readonly ended: () => void;
}

const NOTHING = (): void => {};
const NO_TRIALS: readonly LimitOutcome[] = [];

export class ConnectionLimits {
  readonly #known: KnownLimits;
  readonly #limits: readonly CountedLimit[];

  private constructor(limits: readonly CountedLimit[], known: KnownLimits) {
    this.#known = known;
    this.#limits = limits;
  }

  /**
   * @param limits of a view
   * @returns undefined where none counts connections
   */
  static of(
    limits: readonly AppliedRateLimit[],
    { known, trust }: { readonly known: KnownLimits; readonly trust: Trust },
  ): ConnectionLimits | undefined {
    const ours = limits.filter(({ counts }) => counts !== "requests");
    if (ours.length === 0) return undefined;
    const counted = ours.map(
      (limit) => new CountedLimit(limit, { count: known.countOf(limit), trust }),
    );
    return new ConnectionLimits(counted, known);
  }

  admit(connection: Connection): AdmittedConnection {
    const traffic = { connection, remoteAddress: connection.sourceAddress };
    const now = this.#known.now();
    for (const counted of this.#limits) {
      if (!counted.concerns(traffic) || counted.look(now) === "room") continue;
      if (counted.limit.mode === "Shadow") continue;
      counted.tally.refused++;
      return { refused: counted.outcome(traffic), trials: NO_TRIALS, ended: NOTHING };
    }
    const trials: LimitOutcome[] = [];
    const lasting: [CountedLimit, Asker][] = [];
    for (const counted of this.#limits) {
      const { seen, limit, bucket, sharer } = counted;
      if (seen === "over") {
        counted.tally.wouldRefuse++;
        trials.push(counted.outcome(traffic));
      }
      if (seen !== "room") continue;
      counted.take();
      if (limit.counts === "openConnections") lasting.push([counted, { bucket, sharer }]);
    }
    return {
      trials,
      ended: () => {
        for (const [counted, asker] of lasting) counted.giveBack(asker);
      },
    };
  }
}

/** Of a socket that was closed meanwhile it is over already. */
export function whenClosed(socket: Socket, ended: () => void): void {
  if (socket.closed) ended();
  else socket.once("close", ended);
}

/** Of a connection that policies let in. */
export function withLimits(
  decision: Decision,
  { refused, trials }: Pick<AdmittedConnection, "refused" | "trials">,
): Decision {
  const noted = trials.length === 0 ? decision : { ...decision, shadowLimits: trials };
  if (refused === undefined) return noted;
  return { ...noted, verdict: "deny", reason: { because: "rate-limited", ...refused } };
}

/**
 * Counts a connection whose requests are judged one by one.
 *
 * @returns why it is refused
 */
export function refusalByLimits(
  limits: ConnectionLimits | undefined,
  { socket, connection }: { readonly socket: Socket; readonly connection: Connection },
): Reason | undefined {
  if (limits === undefined) return undefined;
  const { refused, ended } = limits.admit(connection);
  if (refused !== undefined) return { because: "rate-limited", ...refused };
  whenClosed(socket, ended);
  return undefined;
}
