/**
 * Asks the rate limit service for buckets: of each one question at a time, of several buckets one together, and few under way at
 * once, so that many requests cost few questions. While the service is away nobody waits for it: one question now and then, which
 * holds up no request, finds out when it is back.
 */

import { BoundedWarning } from "../../runtime/bounded-warning.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import type { RateLimitQuestion, RateLimitStatus } from "../../wire/rate-limit-call.ts";
import type { GlobalBucket } from "./global-bucket.ts";

/** @returns in the order of the descriptors; rejects where it is not known */
export type AskService = (question: RateLimitQuestion) => Promise<readonly RateLimitStatus[]>;

export interface GlobalQuestionsOptions {
  readonly ask: AskService;
  readonly domain: () => string;
  readonly log: Log;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** Few, so that under load many buckets share a question: asking costs more than counting. */
const MAX_UNDER_WAY = 2;
/** Of one question; the service takes as many. */
const MAX_BUCKETS = 64;
const MAX_HITS = 10_000;
/** Requests that wait; beyond it they are not held up by what does not keep pace. */
export const MAX_WAITING = 5_000;
/** Between two questions to a service that is away. */
export const PROBE_MS = 250;
/** One question without an answer fails those that wait for it; after so many in a row the service is away. */
export const MAX_FAILED = 3;
const TOLD_AGAIN_MS = 60_000;

export class GlobalQuestions {
  readonly #options: GlobalQuestionsOptions;
  readonly #queue: Set<GlobalBucket> = new Set();
  #underWay = 0;
  #waiting = 0;
  #isScheduled = false;
  /** Undefined: it answers. */
  #nextProbe: number | undefined;
  #isProbing = false;
  /** Questions without an answer, since the last one that had one. */
  #failures = 0;
  #isClosed = false;
  readonly #unknown: BoundedWarning;

  constructor(options: GlobalQuestionsOptions) {
    this.#options = options;
    const message = "the rate limit service knows no such limit: it lets everything through";
    this.#unknown = new BoundedWarning(options.log, { message, intervalMs: TOLD_AGAIN_MS });
  }

  /** Whether a request may wait for an answer now; where the service is away it is asked all the same, for later. */
  canAsk(bucket: GlobalBucket): boolean {
    if (this.#isClosed || this.#waiting >= MAX_WAITING) return false;
    if (this.#nextProbe === undefined) return true;
    if (!this.#isProbing && !bucket.isAsking && this.#options.now() >= this.#nextProbe) {
      this.#isProbing = true;
      bucket.isAsking = true;
      void this.#send([bucket], 1);
    }
    return false;
  }

  /** Somebody waits for the bucket. */
  ask(bucket: GlobalBucket): void {
    this.#waiting++;
    if (bucket.isAsking) return;
    bucket.isAsking = true;
    this.#queue.add(bucket);
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    this.#abandonQueue();
  }

  /** What asks in the same turn asks together. */
  #schedule(): void {
    if (this.#isScheduled || this.#underWay >= MAX_UNDER_WAY || this.#queue.size === 0) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      while (this.#underWay < MAX_UNDER_WAY && this.#queue.size > 0) this.#sendNext();
    });
  }

  /** The first, and those that ask for as many. */
  #sendNext(): void {
    const group: GlobalBucket[] = [];
    let hits = 0;
    for (const bucket of this.#queue) {
      const wanted = Math.min(MAX_HITS, bucket.waiting);
      if (group.length === 0) hits = wanted;
      if (wanted !== hits) continue;
      group.push(bucket);
      this.#queue.delete(bucket);
      if (group.length === MAX_BUCKETS) break;
    }
    void this.#send(group, hits);
  }

  async #send(group: readonly GlobalBucket[], hits: number): Promise<void> {
    const { ask, domain, now } = this.#options;
    this.#underWay++;
    try {
      const descriptors = group.map(({ entries }) => entries);
      const statuses = await ask({ domain: domain(), descriptors, hits });
      if (statuses.length !== group.length)
        throw new RangeError("not all descriptors are answered");
      this.#isBack();
      for (const [place, bucket] of group.entries()) {
        const status = statuses[place];
        if (status === undefined) continue;
        if (status.code === "unlimited") this.#unknown.warn({ limit: bucket.limit });
        this.#settle(bucket, () => bucket.settle(status, { hits, now: now() }));
      }
    } catch (error) {
      for (const bucket of group) this.#settle(bucket, () => bucket.abandon());
      this.#failed(error);
    }
    this.#underWay--;
    this.#isProbing = false;
    this.#schedule();
  }

  #settle(bucket: GlobalBucket, settle: () => void): void {
    const before = bucket.waiting;
    settle();
    this.#waiting -= before - bucket.waiting;
    bucket.isAsking = bucket.waiting > 0;
    if (bucket.isAsking) this.#queue.add(bucket);
  }

  #abandonQueue(): void {
    for (const bucket of this.#queue) {
      this.#queue.delete(bucket);
      this.#waiting -= bucket.waiting;
      bucket.isAsking = false;
      bucket.abandon();
    }
  }

  #failed(error: unknown): void {
    const { log, now } = this.#options;
    if (this.#nextProbe === undefined && ++this.#failures < MAX_FAILED) return;
    if (this.#nextProbe === undefined && !this.#isClosed)
      log.warn("the rate limit service is away", { problem: describeError(error) });
    this.#nextProbe = now() + PROBE_MS;
    this.#abandonQueue();
  }

  #isBack(): void {
    this.#failures = 0;
    if (this.#nextProbe === undefined) return;
    this.#nextProbe = undefined;
    this.#options.log.info("the rate limit service is back");
  }
}
