/** Counters as the mesh configuration says, now and whenever it says something else. */
import { isDeepStrictEqual } from "node:util";
import type { RateLimitSettings } from "../api/rate-limit-settings.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { Count, Counter, Counters } from "./counters.ts";
import { MemoryCounters } from "./memory-counters.ts";
import { RedisCounters } from "./redis-counters.ts";
import type { TakenTokens } from "./token-debts.ts";

export interface OpenCountersOptions {
  readonly settings: Watched<RateLimitSettings>;
  /** Tells the counters of this mesh from those of others in the same Redis. */
  readonly domain: string;
  readonly log: Log;
}

export function openCounters(options: OpenCountersOptions): Counters {
  return new ConfiguredCounters(options);
}

class ConfiguredCounters implements Counters {
  readonly #options: OpenCountersOptions;
  readonly #stopWatching: () => void;
  #settings: RateLimitSettings;
  #counters: Promise<Counters>;

  constructor(options: OpenCountersOptions) {
    this.#options = options;
    this.#settings = options.settings.current;
    this.#counters = this.#open();
    this.#stopWatching = options.settings.onChange((settings) => this.#follow(settings));
  }

  async take(count: Count): Promise<TakenTokens> {
    return (await this.#counters).take(count);
  }

  async look(counter: Counter): Promise<TakenTokens> {
    return (await this.#counters).look(counter);
  }

  async close(): Promise<void> {
    this.#stopWatching();
    await (await this.#counters).close();
  }

  #follow(settings: RateLimitSettings): void {
    if (isDeepStrictEqual(settings, this.#settings)) return;
    this.#settings = settings;
    const before = this.#counters;
    this.#counters = this.#open();
    const where = settings.redis === undefined ? "in memory" : "in Redis";
    this.#options.log.info(`global rate limits are counted ${where} from now on`);
    void before.then((counters) => counters.close());
  }

  /** What speaks to Redis is loaded only where there is one. */
  async #open(): Promise<Counters> {
    const { redis } = this.#settings;
    if (redis === undefined) return new MemoryCounters();
    const { connectRedis } = await import("./redis-connection.ts");
    const prefix = `hauberk:limit:${this.#options.domain}:`;
    return new RedisCounters(connectRedis(redis, this.#options.log), { prefix });
  }
}
