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
  /** Those that still finish what they carry. */
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
    const made = new EndpointConnections({
      dial,
      unnegotiated,
      limits: { ...limits, idleMs: Math.min(idleMs, limits?.idleMs ?? idleMs) },
      deadlines,
      mayDial,
      now: () => this.#nowMs,
    });
    this.#pools.set(key, made);
    this.#startTimer();
    return made;
  }

  /** Closes idle connections of every other key; their active ones finish what they carry, and close. */
  retainOnly(keys: ReadonlySet<string>): void {
    for (const [key, pool] of this.#pools) {
      if (keys.has(key)) continue;
      this.#pools.delete(key);
      this.#retired.add(pool);
      pool.retire();
    }
  }

  close(): void {
    this.retainOnly(new Set());
  }

  #startTimer(): void {
    if (this.#timer !== undefined) return;
    this.#nowMs = performance.now();
    this.#timer = setInterval(() => this.#look(), this.#lookEveryMs).unref();
  }

  #look(): void {
    this.#nowMs = performance.now();
    for (const pool of this.#pools.values()) pool.checkTime();
    for (const pool of this.#retired) {
      pool.checkTime();
      const { connections, waiting } = pool.load;
      if (connections + waiting === 0) this.#retired.delete(pool);
    }
    if (this.#pools.size + this.#retired.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
