/**
 * The way to Redis. It comes back by itself for ever; while it is away nothing is queued: whoever asks is told at once.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { RedisSettings } from "../api/rate-limit-settings.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { cut, type Log } from "../runtime/log.ts";
import { backoffDelay } from "../runtime/retry.ts";
import { CountersAwayError, CountersLateError } from "./counters.ts";
import { RedisRefusedError, type RedisReply } from "./redis-reply.ts";
import { RedisSocket } from "./redis-socket.ts";

export interface RedisConnection {
  /** @throws CountersAwayError, CountersLateError, RedisRefusedError */
  command(parts: readonly string[]): Promise<RedisReply>;
  close(): Promise<void>;
}

/** Of one command; a counter that takes longer is no use to a request that waits. */
const COMMAND_TIMEOUT_MS = 100;
/** Commands without an answer; more of them only make Redis slower. */
const MAX_WAITING = 1_000;
/** Of whom nobody asks anything is asked whether it is there. */
const PING_MS = 5_000;
const BACKOFF = { baseMs: 50, maxMs: 1_000 };
/** A connection that lasted so long was a good one: the next attempt comes soon. */
const STEADY_MS = 1_000;
const TOLD_AGAIN_MS = 10_000;
const MAX_TOLD_CHARACTERS = 300;
/** In what a Redis says that only follows another one, as after that took over: the name may lead to that one by now. */
const FOLLOWER = "READONLY ";
/** Not told of: it is asked in other words. */
const FORGOTTEN = "NOSCRIPT";

/** @param timeoutMs of one command, constant but for tests */
export function connectRedis(
  settings: RedisSettings,
  log: Log,
  timeoutMs: number = COMMAND_TIMEOUT_MS,
): RedisConnection {
  return new LastingConnection(settings, log, timeoutMs);
}

class LastingConnection implements RedisConnection {
  readonly #settings: RedisSettings;
  readonly #address: string;
  readonly #log: Log;
  readonly #timeoutMs: number;
  readonly #away: BoundedWarning;
  readonly #refused: BoundedWarning;
  readonly #closing = new AbortController();
  readonly #pings: NodeJS.Timeout;
  /** Undefined: it is away. */
  #socket: RedisSocket | undefined;
  #isFollower = false;

  constructor(settings: RedisSettings, log: Log, timeoutMs: number) {
    this.#settings = settings;
    this.#address = `${settings.host}:${settings.port}`;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
    const bounds = { intervalMs: TOLD_AGAIN_MS };
    this.#away = new BoundedWarning(log, { message: "Redis is away", ...bounds });
    this.#refused = new BoundedWarning(log, { message: "Redis refuses to count", ...bounds });
    this.#pings = setInterval(() => this.#ping(), PING_MS).unref();
    void this.#stay();
  }

  async command(parts: readonly string[]): Promise<RedisReply> {
    const socket = this.#socket;
    if (socket === undefined) throw new CountersAwayError("Redis is away");
    if (socket.waiting >= MAX_WAITING) throw new CountersAwayError("Redis has too much to do");
    try {
      const reply = await withinDeadline(socket.ask(parts), this.#timeoutMs);
      if (this.#isFollower) this.#tellHere();
      return reply;
    } catch (error) {
      if (error instanceof RedisRefusedError) this.#refusedBy(socket, error);
      throw error;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#pings);
    this.#closing.abort();
    this.#socket?.destroy(new Error("it is closed"));
  }

  async #stay(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      const { problem, lastedMs } = await this.#connectOnce();
      if (signal.aborted) return;
      const text = cut(describeError(problem), MAX_TOLD_CHARACTERS);
      this.#away.warn({ address: this.#address, problem: text });
      if (lastedMs >= STEADY_MS) failures = 0;
      const pauseMs = backoffDelay(failures++, BACKOFF, Math.random());
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Returns when that connection is over. */
  async #connectOnce(): Promise<{ readonly problem: unknown; readonly lastedMs: number }> {
    const { signal } = this.#closing;
    let socket: RedisSocket | undefined;
    const leave = (): void => socket?.destroy(new Error("it is closed"));
    signal.addEventListener("abort", leave, { once: true });
    try {
      socket = new RedisSocket(this.#settings);
      await socket.open();
      const hereAt = performance.now();
      this.#socket = socket;
      if (!this.#isFollower) this.#tellHere();
      return { problem: await socket.ended, lastedMs: performance.now() - hereAt };
    } catch (problem) {
      socket?.destroy(problem);
      return { problem, lastedMs: 0 };
    } finally {
      this.#socket = undefined;
      signal.removeEventListener("abort", leave);
    }
  }

  #refusedBy(socket: RedisSocket, { message }: RedisRefusedError): void {
    if (message.startsWith(FORGOTTEN)) return;
    const problem = cut(message, MAX_TOLD_CHARACTERS);
    this.#refused.warn({ address: this.#address, problem });
    if (!message.includes(FOLLOWER)) return;
    this.#isFollower = true;
    socket.destroy(new Error(problem));
  }

  #tellHere(): void {
    this.#isFollower = false;
    this.#log.info("Redis counts for global rate limits", { address: this.#address });
  }

  #ping(): void {
    if (this.#socket?.waiting === 0) this.#socket.ask(["PING"]).catch(() => undefined);
  }
}

/**
 * The answer is awaited no longer; it is taken, and left, when it comes. What has come already, while this process was busy with
 * something else, counts.
 */
function withinDeadline<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void =>
      reject(new CountersLateError(`Redis gave no answer in ${timeoutMs} ms`));
    let turn: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      turn = setImmediate(late);
    }, timeoutMs);
    const settled = (): void => {
      clearTimeout(timer);
      clearImmediate(turn);
    };
    answer.then(resolve, reject).finally(settled);
  });
}
