/** One limit of a view at work: which traffic it counts, by what, and what it has counted. */
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";
import type { BoundRules, PeerRules } from "../../policy/engine/peer-rules.ts";
import { NO_RULE } from "../../policy/engine/rule-index.ts";
import { LimitKey } from "../../policy/rate-limits/limit-key.ts";
import type { LimitOutcome } from "../../policy/rate-limits/limit-outcome.ts";
import { limitRules } from "../../policy/rate-limits/limit-rules.ts";
import type { Connection } from "../../policy/traffic.ts";
import type { Traffic } from "../../policy/traffic-attribute.ts";
import type { Trust } from "../../policy/workload-view.ts";
import type { LimitTally } from "../../telemetry/rate-limit-metrics.ts";
import type { Asker, LimitMeter } from "./limit-meter.ts";

/** What a limit has counted, which outlasts the view that it came with. */
export interface LimitCount {
  readonly meter: LimitMeter;
  readonly tally: LimitTally;
}

/** Of the traffic that was looked at last. "apart": the limit does not count it. */
export type Look = "apart" | "room" | "over";

export class CountedLimit implements Asker {
  readonly limit: AppliedRateLimit;
  readonly #count: LimitCount;
  readonly #key: LimitKey;
  /** Absent: all traffic is counted. */
  readonly #rules: PeerRules | undefined;
  readonly #bound = new WeakMap<Connection, BoundRules>();
  #look: Look = "apart";
  #wait = 0;
  bucket = "";
  sharer = "";

  constructor(
    limit: AppliedRateLimit,
    { count, trust }: { readonly count: LimitCount; readonly trust: Trust },
  ) {
    this.limit = limit;
    this.#count = count;
    this.#key = new LimitKey(limit.key);
    this.#rules = limitRules(limit, trust);
  }

  get seen(): Look {
    return this.#look;
  }

  get meter(): LimitMeter {
    return this.#count.meter;
  }

  get tally(): LimitTally {
    return this.#count.tally;
  }

  /** Whether it counts the traffic; and, if it does, for whom. */
  concerns(traffic: Traffic): boolean {
    this.#look = "apart";
    if (!this.#matches(traffic)) return false;
    this.bucket = this.#key.of(traffic);
    this.sharer = this.limit.fair ? (traffic.connection.principal ?? "") : "";
    return true;
  }

  /** Of traffic that it concerns. */
  look(now: number): Look {
    this.#wait = this.#count.meter.look(this.bucket, this.sharer, now);
    this.#look = this.#wait === 0 ? "room" : "over";
    return this.#look;
  }

  /** Where there is room. */
  take(): void {
    this.#count.meter.take();
    this.#count.tally.passed++;
  }

  giveBack(asker: Asker): void {
    this.#count.meter.giveBack(asker);
  }

  /** Of the traffic that was looked at last. */
  outcome(traffic: Traffic): LimitOutcome {
    const retryAfterMs = Number.isFinite(this.#wait) ? Math.ceil(this.#wait) : 0;
    return this.outcomeOf(traffic, { left: this.#count.meter.left(), retryAfterMs });
  }

  outcomeOf(
    traffic: Traffic,
    found: Pick<LimitOutcome, "left" | "retryAfterMs" | "unavailable">,
  ): LimitOutcome {
    const { scope, counts, amount, perMs, ref, source } = this.limit;
    const key = this.#key.parts(traffic);
    const origin = { ref, source };
    return { limit: this.tally.limit, origin, scope, counts, amount, perMs, key, ...found };
  }

  #matches(traffic: Traffic): boolean {
    if (this.#rules === undefined) return true;
    const { connection } = traffic;
    let bound = this.#bound.get(connection);
    if (bound === undefined) {
      bound = this.#rules.bind(connection);
      this.#bound.set(connection, bound);
    }
    return bound.firstMatch(traffic) !== NO_RULE;
  }
}
