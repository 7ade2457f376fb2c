/** A workload's certificate over time: asked for, renewed at half-life with a new key, kept when renewal fails. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Backoff, retry } from "../runtime/retry.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import type { IssuedSvid, RequestCertificate } from "./certificate-client.ts";
import { DEFAULT_RENEWAL, type RenewalRatios, renewalDelay } from "./rotation-schedule.ts";
import type { X509Svid } from "./x509-svid.ts";

/** Shortest pause between a certificate and the request for the next. */
const MIN_PAUSE_MS = 1_000;
/** Waiting is cut into pieces, so that a machine that slept, or a clock that jumped, is noticed. */
const MAX_NAP_MS = 15_000;
const MIN_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 15_000;

export interface WorkloadIdentityOptions {
  readonly request: RequestCertificate;
  /** The first token; `setToken` replaces it. */
  readonly token: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Absent: as Istio does by default. */
  readonly renewal?: RenewalRatios | undefined;
  /** A number in [0, 1). */
  readonly random: () => number;
}

export class WorkloadIdentity {
  readonly #options: WorkloadIdentityOptions;
  readonly #svid: WatchedValue<X509Svid | undefined> = new WatchedValue<X509Svid | undefined>(
    undefined,
  );
  readonly #rootsPem: WatchedValue<readonly string[]> = new WatchedValue<readonly string[]>([]);
  readonly #stop: AbortController = new AbortController();
  readonly #stopped: Promise<void>;
  #token: string;

  /** Starts asking at once. */
  constructor(options: WorkloadIdentityOptions) {
    this.#options = options;
    this.#token = options.token;
    this.#stopped = this.#run().catch((error: unknown) => this.#ended(error));
  }

  /** Undefined until the first certificate is there. */
  get svid(): Watched<X509Svid | undefined> {
    return this.#svid;
  }

  /** Roots that came with the certificate; empty until then. */
  get rootsPem(): Watched<readonly string[]> {
    return this.#rootsPem;
  }

  /** The token for the next request (CA-33). */
  setToken(token: string): void {
    this.#token = token;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#stopped;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      const issued = await this.#request();
      signal.throwIfAborted();
      this.#tryAccept(issued);
      await this.#waitForRenewal(issued.svid);
    }
  }

  async #request(): Promise<IssuedSvid> {
    const { request, log, random } = this.#options;
    return retry((signal) => request({ token: this.#token, signal }), {
      backoff: this.#backoff(),
      signal: this.#stop.signal,
      random,
      onFailure: (error, delayMs) =>
        log.warn("certificate request failed", {
          error: describeError(error),
          retryInMs: Math.round(delayMs),
          currentCertificateValidForMs: this.#timeLeftMs(),
        }),
    });
  }

  /** A reader that fails must not stop the next renewal. */
  #tryAccept(issued: IssuedSvid): void {
    try {
      this.#accept(issued);
    } catch (error) {
      this.#options.log.error("a new certificate was not taken over everywhere", {
        error: describeError(error),
      });
    }
  }

  #accept({ svid, rootsPem }: IssuedSvid): void {
    const previous = this.#svid.current;
    this.#rootsPem.set(rootsPem);
    this.#svid.set(svid);
    this.#options.log.info(previous === undefined ? "certificate issued" : "certificate renewed", {
      id: svid.id,
      serial: svid.serialNumber,
      previousSerial: previous?.serialNumber,
      notAfter: svid.notAfter.toISOString(),
    });
  }

  async #waitForRenewal(svid: X509Svid): Promise<void> {
    const { clock, random, renewal = DEFAULT_RENEWAL } = this.#options;
    const { signal } = this.#stop;
    const now = clock.now();
    const due = now.getTime() + renewalDelay(svid, { now, ...renewal, random: random() });
    await delay(MIN_PAUSE_MS, undefined, { signal });
    for (;;) {
      const leftMs = due - clock.now().getTime();
      if (leftMs <= 0) return;
      await delay(Math.min(leftMs, MAX_NAP_MS), undefined, { signal });
    }
  }

  /** Several attempts must fit into what is left of the current certificate. */
  #backoff(): Backoff {
    const fittingMs = (this.#timeLeftMs() ?? MAX_BACKOFF_MS) / 4;
    const maxMs = Math.min(MAX_BACKOFF_MS, Math.max(MIN_BACKOFF_MS, fittingMs));
    return { baseMs: MIN_BACKOFF_MS, maxMs };
  }

  #timeLeftMs(): number | undefined {
    const svid = this.#svid.current;
    if (svid === undefined) return undefined;
    return Math.max(0, svid.notAfter.getTime() - this.#options.clock.now().getTime());
  }

  #ended(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#options.log.error("certificate renewal stopped", { error: describeError(error) });
  }
}
