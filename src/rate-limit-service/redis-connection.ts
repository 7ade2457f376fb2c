/**
 * The one connection to Redis, and the only door to its client. It comes back by itself for ever; while it is away nothing is queued:
 * whoever asks is told at once. The password is read anew for each connection, so that a file with another one is enough.
 */
import { readFile } from "node:fs/promises";
import {
  createClient,
  type RedisClientOptions,
  type RedisFunctions,
  type RedisModules,
  type RedisScripts,
} from "@redis/client";
import type { RedisSettings } from "../api/rate-limit-settings.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { cut, type Log } from "../runtime/log.ts";
import { backoffDelay } from "../runtime/retry.ts";
import { CountersAwayError, CountersLateError } from "./counters.ts";

/** Every Redis speaks it, and numbers are all that is asked for. */
type OlderProtocol = RedisClientOptions<RedisModules, RedisFunctions, RedisScripts, 2>;
type Client = ReturnType<typeof createClient<RedisModules, RedisFunctions, RedisScripts, 2>>;

export interface RedisConnection {
  /** @throws CountersAwayError, CountersLateError, or what Redis says against it */
  command(parts: readonly string[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Of one command; a counter that takes longer is no use to a request that waits. */
const COMMAND_TIMEOUT_MS = 100;
/** Commands without an answer; more of them only make Redis slower. */
const MAX_WAITING = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** A connection that has given no answer for so long, though asked, is given up, with whatever it may be sending. */
const SILENCE_MS = 2_000;
/** Of whom nobody asks anything is asked whether it is there. */
const PING_MS = 5_000;
const BACKOFF = { baseMs: 50, maxMs: 1_000 };
const MAX_PASSWORD_BYTES = 4_096;
const MAX_TOLD_CHARACTERS = 300;

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
  readonly #log: Log;
  readonly #timeoutMs: number;
  readonly #away: BoundedWarning;
  #client: Client;
  /** Whether it has answered anything since it was connected. */
  #isAnswering = false;
  #waiting = 0;
  /** Since when commands wait without any answer; undefined: none does. */
  #silentSince: number | undefined;
  #listening: NodeJS.Timeout | undefined;
  readonly #pings: NodeJS.Timeout;

  constructor(settings: RedisSettings, log: Log, timeoutMs: number) {
    this.#settings = settings;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
    this.#away = new BoundedWarning(log, { message: "Redis is away", intervalMs: 10_000 });
    this.#client = this.#connect();
    this.#pings = setInterval(() => this.#look(), PING_MS).unref();
  }

  async command(parts: readonly string[]): Promise<unknown> {
    if (!this.#isHere) throw new CountersAwayError("Redis is away");
    if (this.#waiting >= MAX_WAITING) throw new CountersAwayError("Redis has too much to do");
    this.#waiting++;
    this.#silentSince ??= performance.now();
    const answer = this.#client.sendCommand([...parts]).finally(() => this.#answered());
    const onLate = (): void => this.#listen();
    return withinDeadline(answer, { timeoutMs: this.#timeoutMs, onLate });
  }

  async close(): Promise<void> {
    clearInterval(this.#pings);
    clearTimeout(this.#listening);
    this.#client.destroy();
  }

  get #isHere(): boolean {
    return this.#isAnswering && this.#client.isReady;
  }

  #look(): void {
    if (!this.#isHere) this.#renew();
    else if (this.#waiting === 0) this.command(["PING"]).catch(() => undefined);
  }

  #connect(): Client {
    const address = `${this.#settings.host}:${this.#settings.port}`;
    const client: Client = createClient(optionsOf(this.#settings));
    client.on("error", (error: unknown) =>
      this.#away.warn({ address, problem: cut(describeError(error), MAX_TOLD_CHARACTERS) }),
    );
    /** Whatever it was, be it that we may not ask. */
    const answered = (): void => {
      if (client !== this.#client || !client.isReady) return;
      this.#isAnswering = true;
      this.#log.info("Redis counts for global rate limits", { address });
    };
    client.on("ready", () => {
      this.#isAnswering = false;
      client.sendCommand(["PING"]).then(answered, answered);
    });
    // It fails only when it is closed: until then it tries again.
    client.connect().catch(() => undefined);
    return client;
  }

  #answered(): void {
    this.#waiting--;
    this.#silentSince = this.#waiting === 0 ? undefined : performance.now();
  }

  #listen(): void {
    this.#listening ??= setTimeout(() => {
      this.#listening = undefined;
      if (this.#silentSince === undefined) return;
      if (performance.now() - this.#silentSince >= SILENCE_MS) this.#giveUp();
      else this.#listen();
    }, SILENCE_MS).unref();
  }

  /** One that stands still would keep its connection for ever. */
  #giveUp(): void {
    const problem = `no answer in ${SILENCE_MS / 1_000} s: the connection is given up`;
    this.#away.warn({ address: `${this.#settings.host}:${this.#settings.port}`, problem });
    this.#renew();
  }

  /** All that waits on the older one hears so. */
  #renew(): void {
    const older = this.#client;
    this.#isAnswering = false;
    this.#client = this.#connect();
    older.destroy();
  }
}

function optionsOf(settings: RedisSettings): OlderProtocol {
  const { host, port, user, passwordFile, database, tls } = settings;
  const socket = {
    host,
    port,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectStrategy: (retries: number): number => backoffDelay(retries, BACKOFF, Math.random()),
  };
  return {
    socket:
      tls === undefined
        ? socket
        : {
            ...socket,
            tls: true,
            minVersion: "TLSv1.2",
            servername: tls.serverName ?? host,
            ...(tls.authoritiesPem.length > 0 && { ca: [...tls.authoritiesPem] }),
          },
    ...(passwordFile !== undefined && {
      credentialsProvider: {
        type: "async-credentials-provider",
        credentials: async () => ({
          ...(user !== undefined && { username: user }),
          password: await readPassword(passwordFile),
        }),
      },
    }),
    database,
    disableClientInfo: true, // it would need further permissions
    RESP: 2,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_WAITING,
    maintNotifications: "disabled",
  };
}

/** Of its first line. */
async function readPassword(file: string): Promise<string> {
  const content = await readFile(file, "utf8");
  if (content.length > MAX_PASSWORD_BYTES) throw new CountersAwayError(`${file} is no password`);
  return content.split(/\r?\n/, 1)[0] ?? "";
}

/**
 * The answer is awaited no longer; it is taken, and left, when it comes. What has come already, while this process was busy with
 * something else, counts.
 */
function withinDeadline(
  answer: Promise<unknown>,
  { timeoutMs, onLate }: { readonly timeoutMs: number; readonly onLate: () => void },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = (): void => {
      reject(new CountersLateError(`Redis gave no answer in ${timeoutMs} ms`));
      onLate();
    };
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
