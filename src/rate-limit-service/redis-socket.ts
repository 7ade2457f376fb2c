/** One connection to Redis, until it fails: answers come in the order of what was asked. */
import { readFile } from "node:fs/promises";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { RedisSettings } from "../api/rate-limit-settings.ts";
import { createDeferred, type Deferred } from "../runtime/deferred.ts";
import { CountersAwayError } from "./counters.ts";
import { RedisRefusedError, RedisReplies, type RedisReply, redisCommand } from "./redis-reply.ts";

/** Until it may be asked. */
const OPENING_MS = 2_000;
/** Asked, and without any answer for so long, it is given up, with whatever it may be sending. */
const SILENCE_MS = 2_000;
const MAX_PASSWORD_BYTES = 4_096;
/** What it says to who has to show a password first. */
const NO_PASSWORD = "NOAUTH";

export class RedisSocket {
  readonly #settings: RedisSettings;
  readonly #socket: Socket;
  readonly #waiting: Deferred<RedisReply>[] = [];
  readonly #silence: NodeJS.Timeout;
  readonly #ended: Deferred<Error> = createDeferred();

  /** It connects. The password is read anew for each connection, so that a file with another one is enough. */
  constructor(settings: RedisSettings) {
    this.#settings = settings;
    this.#socket = connectTo(settings);
    const replies = new RedisReplies((reply) => this.#answer(reply));
    this.#socket.setNoDelay(true).setKeepAlive(true);
    this.#socket.on("data", (octets: Buffer) => {
      try {
        replies.read(octets);
      } catch (error) {
        this.destroy(error);
      }
    });
    this.#socket.on("error", (error) => this.destroy(error));
    this.#socket.once("close", () => this.destroy(new Error("it closed the connection")));
    this.#silence = setTimeout(() => this.#listen(), SILENCE_MS).unref();
  }

  /** Resolves with the reason, when it is over. */
  get ended(): Promise<Error> {
    return this.#ended.promise;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Resolves when it may be asked.
   *
   * @throws whatever says why not
   */
  async open(): Promise<void> {
    const tooLong = new Error(`not ready within ${OPENING_MS / 1_000} s`);
    const timer = setTimeout(() => this.destroy(tooLong), OPENING_MS).unref();
    const failed = this.ended.then((problem) => Promise.reject(problem));
    try {
      await Promise.race([this.#introduce(), failed]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws RedisRefusedError, CountersAwayError */
  async ask(parts: readonly string[]): Promise<RedisReply> {
    if (this.#socket.destroyed) throw new CountersAwayError("Redis is away");
    const answer = createDeferred<RedisReply>();
    if (this.#waiting.length === 0) this.#silence.refresh();
    this.#waiting.push(answer);
    this.#socket.write(redisCommand(parts));
    const reply = await answer.promise;
    if (reply instanceof RedisRefusedError) throw reply;
    return reply;
  }

  /** All that waits hears so. */
  destroy(problem: unknown): void {
    const reason = problem instanceof Error ? problem : new Error(String(problem));
    clearTimeout(this.#silence);
    this.#socket.destroy();
    this.#ended.resolve(reason);
    for (const { reject } of this.#waiting.splice(0))
      reject(new CountersAwayError(`Redis: ${reason.message}`, { cause: reason }));
  }

  async #introduce(): Promise<void> {
    const { user, passwordFile, database } = this.#settings;
    if (passwordFile !== undefined) {
      const password = await readPassword(passwordFile);
      await this.ask(["AUTH", ...(user === undefined ? [] : [user]), password]);
    }
    if (database !== 0) await this.ask(["SELECT", String(database)]);
    await this.ask(["PING"]).catch((error: unknown) => {
      // It is there, be it that we may not ask that.
      if (!(error instanceof RedisRefusedError) || error.message.startsWith(NO_PASSWORD))
        throw error;
    });
  }

  #answer(reply: RedisReply): void {
    const asked = this.#waiting.shift();
    if (asked === undefined) throw new Error("it answers what nobody asked");
    this.#silence.refresh();
    asked.resolve(reply);
  }

  /** What has come already, while this process was busy with something else, counts. */
  #listen(): void {
    const [first] = this.#waiting;
    setImmediate(() => {
      if (first === undefined || first !== this.#waiting[0]) return;
      this.destroy(new Error(`no answer in ${SILENCE_MS / 1_000} s: the connection is given up`));
    });
  }
}

function connectTo({ host, port, tls }: RedisSettings): Socket {
  if (tls === undefined) return connect({ host, port });
  const { serverName = isIP(host) === 0 ? host : undefined, authoritiesPem } = tls;
  return connectTls({
    ...{ host, port, minVersion: "TLSv1.2" },
    ...(serverName !== undefined && { servername: serverName }),
    ...(authoritiesPem.length > 0 && { ca: [...authoritiesPem] }),
  });
}

/** Of its first line. */
async function readPassword(file: string): Promise<string> {
  const content = await readFile(file, "utf8");
  if (content.length > MAX_PASSWORD_BYTES) throw new CountersAwayError(`${file} is no password`);
  return content.split(/\r?\n/, 1)[0] ?? "";
}
