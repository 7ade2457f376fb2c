/**
 * Where and when a connection that could not be made is tried again. No byte has left then, so trying again is safe: the
 * sidecar at the other end may just be starting again.
 */
import type { UpstreamConnectError } from "./upstream-dialer.ts";

/** Before the second and the third try, at an endpoint that was tried before; one that was not is tried at once. */
const PAUSES_MS = [150, 350];

/** "once": there is one place to go, and whoever is not there now is down. */
export type Persistence = "once" | "again";

export interface ConnectAttempt<T> {
  readonly endpoint: T;
  /** Milliseconds to wait first. */
  readonly pauseMs: number;
}

export class ConnectAttempts<T> {
  readonly #endpoints: readonly T[];
  readonly #most: number;
  readonly #hopeless = new Set<T>();
  #made = 0;

  /** @param endpoints in order of preference */
  constructor(endpoints: readonly T[], persistence: Persistence) {
    this.#endpoints = endpoints;
    this.#most = persistence === "once" ? 1 : 1 + PAUSES_MS.length;
  }

  /** @returns undefined when there is none */
  first(): T | undefined {
    this.#made = 1;
    return this.#endpoints[0];
  }

  /** @returns undefined when nothing is left to try */
  after(failed: T, { prospect }: UpstreamConnectError): ConnectAttempt<T> | undefined {
    if (prospect === "none") this.#hopeless.add(failed);
    if (this.#made >= this.#most) return undefined;
    const pauseMs = PAUSES_MS[this.#made - 1] ?? 0;
    const untried = this.#endpoints[this.#made++];
    if (untried !== undefined) return { endpoint: untried, pauseMs: 0 };
    const endpoint = this.#endpoints.find((one) => !this.#hopeless.has(one));
    return endpoint === undefined ? undefined : { endpoint, pauseMs };
  }
}
