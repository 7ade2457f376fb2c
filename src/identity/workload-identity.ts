/**
 * A workload's certificate over time: asked for, renewed at half-life or when its authority is being replaced, with a new
 * key, and kept until the next one is there and good.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../runtime/clock.ts";
import { watchClockJumps } from "../runtime/clock-jump.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Backoff, backoffDelay } from "../runtime/retry.ts";
import { WakeablePause } from "../runtime/wakeable-pause.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import {
  CertificateAnswerError,
  type IssuedSvid,
  type RequestCertificate,
} from "./certificate-client.ts";
import { HeldCertificate, type KnownAuthorities } from "./held-certificate.ts";
import { DEFAULT_RENEWAL, type RenewalRatios, renewalDelay } from "./rotation-schedule.ts";
import type { X509Svid } from "./x509-svid.ts";

/** Shortest pause between a certificate and the request for the next. */
const MIN_PAUSE_MS = 1_000;
/** Longest time without a look at the clock. */
const MAX_NAP_MS = 15_000;
/** Over which those who must renew at once spread themselves: all of a mesh hear of it together. */
const SPREAD_MS = 3_000;
/** A control plane that refuses every certificate is not asked for one after the other. */
const REFUSED_PAUSE_MS = 15_000;
const MIN_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 15_000;

export interface WorkloadIdentityOptions {
  readonly request: RequestCertificate;
  /** The first token; `setToken` replaces it. */
  readonly token: string;
  /** What the newest view says of authorities; absent or undefined: nothing is known of them. */
  readonly authorities?: Watched<KnownAuthorities | undefined>;
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
  readonly #pause: WakeablePause = new WakeablePause();
  readonly #unwatch: readonly (() => void)[];
  readonly #stopped: Promise<void>;
  #held: HeldCertificate | undefined;
  #token: string;
  #refused: X509Svid | undefined;
  /** On the monotonic clock. */
  #refusedAt = Number.NEGATIVE_INFINITY;

  /** Starts asking at once. */
  constructor(options: WorkloadIdentityOptions) {
    this.#options = options;
    this.#token = options.token;
    this.#unwatch = [
      watchClockJumps(options.clock, (jumpMs) => this.#clockJumped(jumpMs)),
      this.#watchAuthorities(),
    ];
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

  /** The token for the next request (CA-33); who waits to ask again asks at once. */
  setToken(token: string): void {
    this.#token = token;
    this.#pause.wake();
  }

  /**
   * The control plane takes this certificate no more: if it is the one that is held, another is asked for ahead of time.
   * Nothing else may tell of it, since views come by the same certificate.
   */
  refuse(svid: X509Svid): void {
    if (svid !== this.#svid.current || svid === this.#refused) return;
    if (performance.now() - this.#refusedAt < REFUSED_PAUSE_MS) return;
    this.#refusedAt = performance.now();
    this.#refused = svid;
    this.#pause.wake();
  }

  async close(): Promise<void> {
    for (const unwatch of this.#unwatch) unwatch();
    this.#stop.abort();
    await this.#stopped;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      const issued = await this.#request();
      signal.throwIfAborted();
      this.#tryAccept(issued);
      await this.#untilRenewal(issued.svid);
    }
  }

  /** Asks until there is a good one. A new token, and a clock that jumped, are reasons not to wait for the next time. */
  async #request(): Promise<IssuedSvid> {
    const { signal } = this.#stop;
    for (let failures = 0; ; failures++) {
      this.#pause.forget();
      try {
        return await this.#requestOnce();
      } catch (error) {
        signal.throwIfAborted();
        const delayMs = backoffDelay(failures, this.#backoff(), this.#options.random());
        this.#tellFailure(error, delayMs);
        if ((await this.#pause.last(delayMs, signal)) === "woken") failures = -1;
      }
    }
  }

  /** @throws also when what was issued is no improvement on what is held */
  async #requestOnce(): Promise<IssuedSvid> {
    const { request, clock, authorities } = this.#options;
    const held = this.#held;
    const current = held?.isValidAt(clock.now()) === true ? held : undefined;
    const issued = await request({
      token: this.#token,
      current: current?.svid,
      signal: this.#stop.signal,
    });
    if (current?.isValidAt(clock.now()) !== true) return issued;
    const next = new HeldCertificate(issued.svid);
    const problem = next.problem(clock.now(), authorities?.current);
    if (problem === undefined) return issued;
    throw new CertificateAnswerError(`the certificate that was issued is of no use: ${problem}`);
  }

  #tellFailure(error: unknown, delayMs: number): void {
    this.#options.log.warn("certificate request failed", {
      error: describeError(error),
      retryInMs: Math.round(delayMs),
      currentCertificateValidForMs: this.#timeLeftMs(),
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

  #accept({ svid, rootsPem, authenticatedBy }: IssuedSvid): void {
    const previous = this.#svid.current;
    this.#held = new HeldCertificate(svid);
    this.#options.log.info(previous === undefined ? "certificate issued" : "certificate renewed", {
      id: svid.id,
      serial: svid.serialNumber,
      previousSerial: previous?.serialNumber,
      notAfter: svid.notAfter.toISOString(),
      authenticatedBy,
    });
    this.#rootsPem.set(rootsPem);
    this.#svid.set(svid);
  }

  async #untilRenewal(svid: X509Svid): Promise<void> {
    const { clock, random, renewal = DEFAULT_RENEWAL } = this.#options;
    const { signal } = this.#stop;
    const now = clock.now();
    const due = now.getTime() + renewalDelay(svid, { now, ...renewal, random: random() });
    await delay(MIN_PAUSE_MS, undefined, { signal });
    for (;;) {
      const leftMs = due - clock.now().getTime();
      if (leftMs <= 0) return;
      if (await this.#mustRenewNow()) return;
      await this.#pause.last(Math.min(leftMs, MAX_NAP_MS), signal);
    }
  }

  async #mustRenewNow(): Promise<boolean> {
    const { clock, authorities, random, log } = this.#options;
    const isRefused = this.#refused !== undefined && this.#refused === this.#svid.current;
    const because =
      this.#held?.problem(clock.now(), authorities?.current) ??
      (isRefused ? "the control plane takes it no more" : undefined);
    if (because === undefined) return false;
    const inMs = Math.round(random() * SPREAD_MS);
    log.info("the certificate is renewed ahead of time", { because, inMs });
    await delay(inMs, undefined, { signal: this.#stop.signal });
    return true;
  }

  #watchAuthorities(): () => void {
    const { authorities } = this.#options;
    if (authorities === undefined) return () => undefined;
    const textOf = (known: KnownAuthorities | undefined): string =>
      JSON.stringify([known?.rootsPem, known?.taintedAuthorities, known?.crlsPem]);
    let before = textOf(authorities.current);
    return authorities.onChange((next) => {
      const text = textOf(next);
      if (text !== before) this.#pause.wake();
      before = text;
    });
  }

  #clockJumped(jumpMs: number): void {
    this.#options.log.warn("the clock jumped", {
      jumpMs,
      certificateValidForMs: this.#timeLeftMs(),
    });
    this.#pause.wake();
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
