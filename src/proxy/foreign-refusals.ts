/** What is written of connections that are not the pod's own: enough to be seen, too little to be a weapon. */
import type { Decision } from "../policy/decision.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { Allowance } from "./allowance.ts";
import { formatAddress } from "./format-address.ts";
import type { CallFacts, Recorder } from "./recorder.ts";
import type { Ownership } from "./workload-ownership.ts";

export interface ForeignRefusalsOptions {
  readonly recorder: Pick<Recorder, "connectionRefused" | "refusalCounted">;
  readonly log: Log;
  readonly clock: Clock;
}

/** The metrics count the others, too. */
const ENTRIES_PER_SECOND = 20;

export class ForeignRefusals {
  readonly #recorder: ForeignRefusalsOptions["recorder"];
  readonly #entries: Allowance;
  readonly #refused: BoundedWarning;
  readonly #dropped: BoundedWarning;

  constructor({ recorder, log, clock }: ForeignRefusalsOptions) {
    this.#recorder = recorder;
    this.#entries = new Allowance({ perSecond: ENTRIES_PER_SECOND, clock });
    this.#refused = new BoundedWarning(log, { message: "foreign process refused" });
    this.#dropped = new BoundedWarning(log, {
      message: "connection dropped: too many await a look at their owner",
    });
  }

  refused(facts: CallFacts, { problem, process }: Ownership & { readonly owner: "foreign" }): void {
    const reason = { because: "not-own-workload", problem } as const;
    const decision: Decision = { verdict: "deny", reason };
    if (this.#entries.take() === "granted") this.#recorder.connectionRefused(facts, decision);
    else this.#recorder.refusalCounted(decision);
    this.#refused.warn({
      ...endsOf(facts),
      problem,
      processId: process?.processId,
      command: process?.command,
    });
  }

  dropped(facts: CallFacts): void {
    this.#dropped.warn(endsOf(facts));
  }
}

function endsOf({ remote, local }: CallFacts): {
  readonly from: string;
  readonly listener: string;
} {
  return { from: formatAddress(remote), listener: formatAddress(local) };
}
