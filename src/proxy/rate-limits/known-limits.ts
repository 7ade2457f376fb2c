/** What rate limits have counted, beyond one view: a limit that stays the same goes on where it was. */
import { isDeepStrictEqual } from "node:util";
import { type AppliedRateLimit, rateLimitId } from "../../policy/applied-rate-limits.ts";
import type { LimitLeft } from "../../policy/rate-limits/limit-left.ts";
import { paceOfProcess } from "../../policy/rate-limits/pace.ts";
import type { LimitTally } from "../../telemetry/rate-limit-metrics.ts";
import type { LimitCount } from "./counted-limit.ts";
import type { GlobalLimiter } from "./global-limiter.ts";
import {
  type Asker,
  FairMeter,
  type LimitMeter,
  type OpenCounts,
  OpenMeter,
  PacedMeter,
} from "./limit-meter.ts";

export interface KnownLimitsOptions {
  /** Of this sidecar: each counts for itself, up to a like part of every local limit. Absent: 1. */
  readonly processes?: number | undefined;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

interface Known extends LimitCount {
  /** By all that its meter depends on. */
  readonly form: string;
  /** As in the limit. */
  readonly key: readonly string[];
}

export class KnownLimits {
  readonly now: () => number;
  readonly #processes: number;
  readonly #counts = new Map<string, Known>();
  /** Of the newest view. */
  #global: ReadonlySet<string> = new Set();
  /** Who counts for the whole mesh; undefined: nobody can be asked. */
  global: GlobalLimiter | undefined = undefined;

  constructor({ processes = 1, now = () => performance.now() }: KnownLimitsOptions = {}) {
    this.#processes = processes;
    this.now = now;
  }

  /** What others than these counted is forgotten: they are all of the newest view. */
  retainOnly(limits: readonly AppliedRateLimit[]): void {
    const ids = new Set(limits.map(rateLimitId));
    this.#global = new Set(limits.filter(({ scope }) => scope === "Global").map(rateLimitId));
    for (const id of this.#counts.keys()) if (!ids.has(id)) this.#counts.delete(id);
    this.global?.use(limits.filter(({ scope }) => scope === "Global"));
  }

  /** What one caller has left of a limit that counts here; undefined: it does not. */
  left(id: string, { bucket, sharer }: Asker): LimitLeft | undefined {
    const meter = this.#counts.get(id)?.meter;
    if (meter === undefined || this.#global.has(id)) return undefined;
    const waitMs = meter.look(bucket, sharer, this.now());
    return { left: meter.left(), waitMs: Number.isFinite(waitMs) ? Math.ceil(waitMs) : null };
  }

  tallies(): readonly LimitTally[] {
    return [...this.#counts.values()].map(({ tally }) => tally);
  }

  countOf(limit: AppliedRateLimit): LimitCount {
    const id = rateLimitId(limit);
    const { counts, amount, perMs, burst, key, fair, scope } = limit;
    const form = JSON.stringify([counts, amount, perMs, burst, key, fair, scope]);
    const known = this.#counts.get(id);
    if (known?.form === form) return known;
    const meter = this.#meterOf(limit, openOf(known, limit));
    const count = { form, key, meter, tally: newTally(id, meter) };
    this.#counts.set(id, count);
    return count;
  }

  #meterOf(
    { counts, amount, fair, ...pace }: AppliedRateLimit,
    open: OpenCounts | undefined,
  ): LimitMeter {
    if (counts === "openConnections")
      return new OpenMeter(Math.max(1, Math.floor(amount / this.#processes)), open);
    const own = paceOfProcess({ ...pace, amount }, this.#processes);
    return fair ? new FairMeter(own) : new PacedMeter(own);
  }
}

/** What stands is counted on when only its figure is another. */
function openOf(known: Known | undefined, { key }: AppliedRateLimit): OpenCounts | undefined {
  if (!(known?.meter instanceof OpenMeter) || !isDeepStrictEqual(known.key, key)) return undefined;
  return known.meter.open;
}

function newTally(limit: string, meter: LimitMeter): LimitTally {
  return {
    limit,
    passed: 0,
    refused: 0,
    wouldRefuse: 0,
    unavailable: 0,
    unknown: 0,
    get forgotten() {
      return meter.forgotten;
    },
  };
}
