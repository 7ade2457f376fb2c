/**
 * Counts in Redis: what is left outlives this process, and others may count along. What strangers choose stands there as a hash, with
 * an expiry; how many of them there may be is bounded here.
 */
import { createHash } from "node:crypto";
import { describeError } from "../runtime/hauberk-error.ts";
import {
  type Count,
  type Counter,
  type Counters,
  CountersAwayError,
  CountersLateError,
  LOOK,
} from "./counters.ts";
import { LimitRooms } from "./limit-rooms.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { RedisRefusedError } from "./redis-reply.ts";
import { takeScript } from "./take-script.ts";
import { idleMs, type TakenTokens } from "./token-debts.ts";

export interface RedisCountersOptions {
  /** All keys begin with it. */
  readonly prefix: string;
  /** Milliseconds of a clock that only goes forward, for what is kept here. */
  readonly now?: () => number;
  /** Absent: by the clock of Redis. */
  readonly script?: string;
}

export class RedisCounters implements Counters {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #now: () => number;
  readonly #script: string;
  readonly #digest: string;
  readonly #limits: LimitRooms<undefined> = new LimitRooms();

  constructor(
    redis: RedisConnection,
    { prefix, now = () => performance.now(), script = takeScript() }: RedisCountersOptions,
  ) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#now = now;
    this.#script = script;
    this.#digest = createHash("sha1").update(script).digest("hex");
  }

  async take(count: Count): Promise<TakenTokens> {
    const { key } = this.#limits.enter(count, this.#now(), () => undefined);
    return this.#take(count, key);
  }

  async look(counter: Counter): Promise<TakenTokens> {
    const count = { ...counter, ...LOOK };
    return this.#take(count, this.#limits.find(count, this.#now()).key);
  }

  async #take(count: Count, key: string): Promise<TakenTokens> {
    const answer = await this.#run([
      ...["1", `${this.#prefix}${count.limit}:${key}`],
      ...[count.rate, count.burst, count.identity, count.hits].map(String),
      count.advance === "welcome" ? "1" : "0",
      String(idleMs(count)),
      count.fair ? "1" : "0",
    ]);
    return readAnswer(answer);
  }

  close(): Promise<void> {
    return this.#redis.close();
  }

  /** Redis forgets scripts when it is started anew. */
  async #run(parts: readonly string[]): Promise<unknown> {
    try {
      return await this.#redis.command(["EVALSHA", this.#digest, ...parts]);
    } catch (error) {
      if (!isForgotten(error)) throw notCounted(error);
    }
    try {
      return await this.#redis.command(["EVAL", this.#script, ...parts]);
    } catch (error) {
      throw notCounted(error);
    }
  }
}

function isForgotten(error: unknown): boolean {
  return error instanceof RedisRefusedError && error.message.startsWith("NOSCRIPT");
}

function notCounted(error: unknown): Error {
  return error instanceof CountersAwayError || error instanceof CountersLateError
    ? error
    : new CountersAwayError(`Redis: ${describeError(error)}`, { cause: error });
}

function readAnswer(answer: unknown): TakenTokens {
  const figures: readonly unknown[] = Array.isArray(answer) ? answer : [];
  const [granted, advance, remaining, waitMs] = figures.filter(isCount);
  if (figures.length !== 4 || waitMs === undefined)
    throw new CountersAwayError("Redis answers something else than four numbers");
  return { granted: granted ?? 0, advance: advance ?? 0, remaining: remaining ?? 0, waitMs };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
