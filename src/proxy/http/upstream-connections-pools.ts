/** Keeps connections open between requests, one set for each endpoint, certificate and trust, and looks after their age. */
import type { CertificateDeadlines } from "../certificate-deadlines.ts";
import type { HttpFraming } from "../mesh-protocols.ts";
import { type ConnectionLimits, type Dial, EndpointConnections } from "./upstream-connections.ts";

/** How often ages are looked at, at most and at least; in milliseconds. */
const LOOK_MOST = 1_000;
const LOOK_LEAST = 20;
const LOOKS_PER_IDLE_TIME = 8;

export interface ConnectionPoolsOptions {
  /** Shorter than the other end keeps an idle connection, so that we are the ones to close. */
  readonly idleMs: number;
  /** For connections that stand on certificates. */
  readonly deadlines?: CertificateDeadlines | undefined;
}

export interface ConnectionsOptions {
  readonly dial: Dial;
  /** What is spoken where nothing is agreed on by ALPN. */
  readonly unnegotiated: HttpFraming;
  /** `idleMs` of the pools counts where it is shorter. */
  readonly limits?: Partial<ConnectionLimits> | undefined;
  /** Whether there may be one more beside others; without, requests wait for those. Absent: there may. */
  readonly mayDial?: (() => boolean) | undefined;
}

export class ConnectionPools {
  readonly #options: ConnectionPoolsOptions;
  readonly #pools: Map<string, EndpointConnections> = new Map();
  /** Those that still finish what they carry, and are no longer for who comes. */
  readonly #retired: Set<EndpointConnections> = new Set();
  readonly #lookEveryMs: number;
  #nowMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ConnectionPoolsOptions) {
    this.#options = options;
    const everyMs = options.idleMs / LOOKS_PER_IDLE_TIME;
    this.#lookEveryMs = Math.min(LOOK_MOST, Math.max(LOOK_LEAST, everyMs));
  }

  /**
   * The connections to one endpoint.
   *
   * @param key says all that makes a connection what it is: who we are in it, whom it must lead to, what it is for, and
   *   its limits; the options are looked at when the key is new
   */
  connections(key: string, options: ConnectionsOptions): EndpointConnections {
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const { idleMs, deadlines } = this.#options;
    const { dial, unnegotiated, limits, mayDial } = options;
    const made: EndpointConnections = new EndpointConnections({
      dial,
      unnegotiated,
      limits: { ...limits, idleMs: Math.min(idleMs, limits?.idleMs ?? idleMs) },
      deadlines,
      mayDial,
      now: () => this.#nowMs,
      returning: () => this.#remember(key, made),
    });
    this.#pools.set(key, made);
    this.#startTimer();
    return made;
  }

  /** Closes idle connections of every other key; their active ones finish what they carry, and close. */
  retainOnly(keys: ReadonlySet<string>): void {
    this.#retire((key) => !keys.has(key));
  }

  /** The same for all keys that begin so. */
  retire(prefix: string): void {
    this.#retire((key) => key.startsWith(prefix));
  }

  close(): void {
    this.retainOnly(new Set());
  }

  /** Pools that are looked after; of all others nothing is known here. */
  get size(): number {
    return this.#pools.size + this.#retired.size;
  }

  #retire(isMeant: (key: string) => boolean): void {
    for (const [key, pool] of this.#pools) {
      if (!isMeant(key)) continue;
      this.#pools.delete(key);
      this.#retired.add(pool);
      pool.retire();
    }
  }

  /** A stranger may name 65,535 ports: a pool that has nothing is forgotten, until whoever knows it uses it again. */
  #remember(key: string, pool: EndpointConnections): void {
    this.#startTimer();
    const known = this.#pools.get(key);
    if (known === undefined) this.#pools.set(key, pool);
    else if (known !== pool) this.#retired.add(pool);
  }

  #startTimer(): void {
    if (this.#timer !== undefined) return;
    this.#nowMs = performance.now();
    this.#timer = setInterval(() => this.#look(), this.#lookEveryMs).unref();
  }

  #look(): void {
    this.#nowMs = performance.now();
    for (const [key, pool] of this.#pools) if (hasNothing(pool)) this.#pools.delete(key);
    for (const pool of this.#retired) if (hasNothing(pool)) this.#retired.delete(pool);
    if (this.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** When those are closed whose time is over. */
function hasNothing(pool: EndpointConnections): boolean {
  pool.checkTime();
  const { connections, waiting } = pool.load;
  return connections + waiting === 0;
}
