/**
 * Counts for one limit, in two steps, so that what another limit refuses spends nothing of this one: what was looked for
 * last is what is taken. Nothing is allocated for a caller that is known.
 */
import { FairShare } from "../../policy/rate-limits/fair-share.ts";
import type { Pace } from "../../policy/rate-limits/pace.ts";
import { PacedBuckets } from "../../policy/rate-limits/paced-buckets.ts";

/** Who asks: by the limit's key, and, of a limit that is fair, by identity. */
export interface Asker {
  readonly bucket: string;
  readonly sharer: string;
}

export interface LimitMeter {
  /** @returns milliseconds until there is room; 0 when there is now */
  look(bucket: string, sharer: string, now: number): number;
  /** One, for whoever was looked for last. */
  take(): void;
  giveBack(asker: Asker): void;
  /** For whoever was looked for last, as it is now. */
  left(): number;
  /** Milliseconds until all is left again. */
  fullIn(): number;
  /** Keys that were no longer told apart while they still counted, as there were too many. */
  readonly forgotten: number;
}

export class PacedMeter implements LimitMeter {
  readonly #buckets: PacedBuckets;
  #slot = 0;
  #now = 0;

  constructor(pace: Pace) {
    this.#buckets = new PacedBuckets(pace);
  }

  get forgotten(): number {
    return this.#buckets.forgotten;
  }

  look(bucket: string, _sharer: string, now: number): number {
    this.#slot = this.#buckets.find(bucket, now);
    this.#now = now;
    return this.#buckets.wait(this.#slot, now);
  }

  take(): void {
    this.#buckets.take(this.#slot, this.#now);
  }

  giveBack({ bucket }: Asker): void {
    this.#buckets.giveBack(bucket);
  }

  left(): number {
    return this.#buckets.left(this.#slot, this.#now);
  }

  fullIn(): number {
    return this.#buckets.fullIn(this.#slot, this.#now);
  }
}

export class FairMeter implements LimitMeter {
  readonly forgotten = 0;
  readonly #share: FairShare;
  #sharer = "";
  #now = 0;

  constructor(pace: Pace) {
    this.#share = new FairShare(pace);
  }

  look(_bucket: string, sharer: string, now: number): number {
    this.#sharer = sharer;
    this.#now = now;
    return this.#share.wait(sharer, now);
  }

  take(): void {
    this.#share.take(this.#sharer);
  }

  giveBack({ sharer }: Asker): void {
    this.#share.giveBack(sharer);
  }

  left(): number {
    return this.#share.left(this.#sharer, this.#now);
  }

  fullIn(): number {
    return this.#share.fullIn(this.#sharer, this.#now);
  }
}

/** How many are open, by key: no more keys than connections. */
export type OpenCounts = Map<string, number>;

/** Counts what lasts: there is room again once something is given back. */
export class OpenMeter implements LimitMeter {
  readonly forgotten = 0;
  readonly #most: number;
  /** Shared with the meters of the same limit before and after it: what stands ends under the one that it began with. */
  readonly open: OpenCounts;
  #bucket = "";

  constructor(most: number, open: OpenCounts = new Map()) {
    this.#most = most;
    this.open = open;
  }

  look(bucket: string): number {
    this.#bucket = bucket;
    return this.left() > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  take(): void {
    this.open.set(this.#bucket, (this.open.get(this.#bucket) ?? 0) + 1);
  }

  giveBack({ bucket }: Asker): void {
    const open = this.open.get(bucket) ?? 0;
    if (open <= 1) this.open.delete(bucket);
    else this.open.set(bucket, open - 1);
  }

  left(): number {
    return Math.max(0, this.#most - (this.open.get(this.#bucket) ?? 0));
  }

  fullIn(): number {
    return 0;
  }
}
