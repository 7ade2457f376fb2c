/** Global limits as a sidecar counts them: by what it knows already where it can, otherwise by the rate limit service. */
import { type AppliedRateLimit, rateLimitId } from "../../policy/applied-rate-limits.ts";
import {
  hashedEntry,
  IDENTITY_ENTRY,
  KEY_ENTRY,
  LIMIT_ENTRY,
} from "../../policy/global-limit-descriptor.ts";
import { GlobalBucket, UNAVAILABLE } from "./global-bucket.ts";
import type { GlobalAnswer, GlobalLimiter, GlobalQuestion } from "./global-limiter.ts";
import { GlobalQuestions, type GlobalQuestionsOptions } from "./global-questions.ts";

/** Buckets known of one limit; of another only less is known, so that it is asked about again. */
const MAX_BUCKETS = 10_000;

export class GlobalLimits implements GlobalLimiter {
  readonly #questions: GlobalQuestions;
  readonly #now: () => number;
  /** By the name of the limit and its figures. */
  #rooms: Map<string, BucketRoom> = new Map();
  readonly #roomOf: WeakMap<AppliedRateLimit, BucketRoom> = new WeakMap();
  readonly #close: () => void;

  /** @param close what asking needs */
  constructor(options: GlobalQuestionsOptions, close: () => void = () => {}) {
    this.#questions = new GlobalQuestions(options);
    this.#now = options.now;
    this.#close = close;
  }

  ask(
    questions: readonly GlobalQuestion[],
  ): readonly GlobalAnswer[] | Promise<readonly GlobalAnswer[]> {
    const now = this.#now();
    const asked = questions.map((question) => this.#askedOf(question));
    const refusals = asked.map(({ bucket }) => bucket.refusal(now));
    if (asked.some(({ isEnforced }, place) => isEnforced && refusals[place] !== undefined))
      return refusals.map((refusal) => refusal ?? NOT_COUNTED);
    const answers = asked.map(
      ({ bucket }, place) => refusals[place] ?? this.#takeOrWait(bucket, now),
    );
    const known = answers.filter((one): one is GlobalAnswer => !(one instanceof Promise));
    return known.length === answers.length
      ? known
      : Promise.all(answers).then((heard) => this.#allOrNone(heard, asked));
  }

  giveBack(questions: readonly GlobalQuestion[]): void {
    const now = this.#now();
    for (const question of questions) this.#bucketOf(question).giveBack(now, 1);
  }

  use(limits: readonly AppliedRateLimit[]): void {
    const before = this.#rooms;
    this.#rooms = new Map();
    for (const limit of limits) {
      if (limit.scope !== "Global") continue;
      const name = nameOf(limit);
      const room = before.get(name) ?? new BucketRoom(limit);
      this.#rooms.set(name, room);
      this.#roomOf.set(limit, room);
    }
  }

  close(): void {
    this.#questions.close();
    this.#close();
  }

  #takeOrWait(bucket: GlobalBucket, now: number): GlobalAnswer | Promise<GlobalAnswer> {
    const taken = bucket.take(now);
    if (taken !== undefined) return taken;
    if (!this.#questions.canAsk(bucket)) return UNAVAILABLE;
    return new Promise((resolve) => {
      bucket.wait(resolve);
      this.#questions.ask(bucket);
    });
  }

  /** Where one has no room the others keep theirs, here, for who comes next. */
  #allOrNone(answers: readonly GlobalAnswer[], asked: readonly Asked[]): readonly GlobalAnswer[] {
    const isRefused = asked.some(
      ({ isEnforced }, place) => isEnforced && answers[place]?.verdict === "over",
    );
    if (!isRefused) return answers;
    const now = this.#now();
    for (const [place, { verdict }] of answers.entries())
      if (verdict === "room") asked[place]?.bucket.giveBack(now, 1);
    return answers;
  }

  /** A shadow refuses nobody, and so stands in nobody's way. */
  #askedOf(question: GlobalQuestion): Asked {
    return { bucket: this.#bucketOf(question), isEnforced: question.limit.mode === "Enforce" };
  }

  #bucketOf({ limit, key, principal }: GlobalQuestion): GlobalBucket {
    let room = this.#roomOf.get(limit);
    if (room === undefined) {
      room = this.#rooms.get(nameOf(limit)) ?? new BucketRoom(limit);
      this.#roomOf.set(limit, room);
    }
    return room.find(key, principal);
  }
}

interface Asked {
  readonly bucket: GlobalBucket;
  readonly isEnforced: boolean;
}

/** Of a limit that had room, beside one that had none. */
const NOT_COUNTED: GlobalAnswer = { verdict: "room", left: 1, retryAfterMs: 0 };

function nameOf(limit: AppliedRateLimit): string {
  const { amount, perMs, burst, key, fair } = limit;
  return [rateLimitId(limit), amount, perMs, burst, fair, ...key].join(" ");
}

/** The buckets of one limit, the oldest first. */
class BucketRoom {
  readonly #limit: AppliedRateLimit;
  readonly #buckets: Map<string, GlobalBucket> = new Map();

  constructor(limit: AppliedRateLimit) {
    this.#limit = limit;
  }

  find(key: string, principal: string): GlobalBucket {
    const name = this.#limit.fair ? `${principal}\n${key}` : key;
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    if (this.#buckets.size >= MAX_BUCKETS) this.#forgetOne();
    const bucket = new GlobalBucket(this.#entries(key, principal), this.#limit.burst);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** One that nobody waits for loses little. */
  #forgetOne(): void {
    for (const [name, bucket] of this.#buckets) {
      if (bucket.isAsking) continue;
      this.#buckets.delete(name);
      return;
    }
  }

  #entries(key: string, principal: string): GlobalBucket["entries"] {
    return [
      [LIMIT_ENTRY, rateLimitId(this.#limit)],
      [KEY_ENTRY, hashedEntry(key)],
      [IDENTITY_ENTRY, this.#limit.fair ? hashedEntry(principal) : ""],
    ];
  }
}
