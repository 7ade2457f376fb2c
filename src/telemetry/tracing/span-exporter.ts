/**
 * Spans on their way to a collector: gathered, sent together and later, tried again for a while. No request waits for
 * them; what nobody takes is not kept for ever: beyond a bound the oldest are lost, counted, and told once.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { type Backoff, backoffDelay } from "../../runtime/retry.ts";

/** What became of one request to a collector. */
export type SendResult =
  | { readonly outcome: "taken" }
  /** It would be refused again. */
  | { readonly outcome: "refused"; readonly problem: string }
  /** @property afterMs as the collector asks; absent: it does not say */
  | { readonly outcome: "again"; readonly problem: string; readonly afterMs?: number };

/** @throws Error where nothing was answered, and it may be tried again */
export type SendRequest = (request: Buffer, signal: AbortSignal) => Promise<SendResult>;

export interface SpanExporterOptions {
  /** For people. */
  readonly provider: string;
  readonly send: SendRequest;
  /** Makes one request of spans. */
  readonly requestOf: (spans: readonly Buffer[]) => Buffer;
  readonly log: Log;
  /** A number in [0, 1). */
  readonly chance: () => number;
  readonly bounds?: ExportBounds;
}

export interface ExportBounds {
  /** Spans of one request. */
  readonly batch: number;
  readonly sendAfterMs: number;
  readonly keepSpans: number;
  readonly keepBytes: number;
  /** For one request, the first included. */
  readonly attempts: number;
  readonly backoff: Backoff;
  /** For all that is left at the end. */
  readonly closeMs: number;
}

/** As OpenTelemetry's own exporters, but for the bytes and the end. */
export const EXPORT_BOUNDS: ExportBounds = {
  batch: 512,
  sendAfterMs: 5_000,
  keepSpans: 2_048,
  keepBytes: 4 * 1024 * 1024,
  attempts: 5,
  backoff: { baseMs: 1_000, maxMs: 30_000 },
  closeMs: 2_000,
};

/** However long a collector asks us to wait. */
const MAX_PAUSE_MS = 60_000;

export class SpanExporter {
  readonly #options: SpanExporterOptions;
  readonly #bounds: ExportBounds;
  #spans: Buffer[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  /** Ends every wait, when nothing more is to come. */
  readonly #pauses = new AbortController();
  /** Ends every request, when the time for the end is over. */
  readonly #requests = new AbortController();
  #sent = 0;
  #lost = 0;
  #lostUntold = 0;
  #isFailing = false;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? EXPORT_BOUNDS;
  }

  get provider(): string {
    return this.#options.provider;
  }

  /** Spans so far. */
  get counts(): { readonly sent: number; readonly lost: number } {
    return { sent: this.#sent, lost: this.#lost };
  }

  /** @param span encoded */
  add(span: Buffer): void {
    if (this.#isClosing) {
      this.#lost++;
      return;
    }
    this.#spans.push(span);
    this.#bytes += span.length;
    this.#dropOldest();
    if (this.#sending !== undefined) return;
    if (this.#spans.length === this.#bounds.batch) this.#sendSoon(0);
    else if (this.#timer === undefined) this.#sendSoon(this.#bounds.sendAfterMs);
  }

  /** Sends what there is, for as long as that may take at the end; resolves in any case. */
  async close(): Promise<void> {
    this.#pauses.abort();
    clearTimeout(this.#timer);
    const over = setTimeout(() => this.#requests.abort(), this.#bounds.closeMs);
    while (this.#sending !== undefined) await this.#sending;
    await this.#sendAll();
    clearTimeout(over);
  }

  get #isClosing(): boolean {
    return this.#pauses.signal.aborted;
  }

  #dropOldest(): void {
    const { keepSpans, keepBytes } = this.#bounds;
    let dropped = 0;
    while (this.#spans.length > keepSpans || (this.#bytes > keepBytes && this.#spans.length > 1)) {
      this.#bytes -= this.#spans.shift()?.length ?? 0;
      dropped++;
    }
    if (dropped > 0) this.#lose(dropped, "the collector takes them too slowly");
  }

  /** Never within the request that was traced. */
  #sendSoon(afterMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosing) return;
    this.#timer = setTimeout(() => void this.#sendNow(), afterMs).unref();
  }

  async #sendNow(): Promise<void> {
    this.#timer = undefined;
    if (this.#sending !== undefined) return;
    this.#sending = this.#sendAll();
    await this.#sending;
    this.#sending = undefined;
    if (this.#spans.length > 0) this.#sendSoon(this.#bounds.sendAfterMs);
  }

  /** All full requests that there are, and what is left. */
  async #sendAll(): Promise<void> {
    while (this.#spans.length > 0) {
      const batch = this.#spans.splice(0, this.#bounds.batch);
      for (const span of batch) this.#bytes -= span.length;
      await this.#sendBatch(batch);
    }
  }

  async #sendBatch(batch: readonly Buffer[]): Promise<void> {
    const request = this.#options.requestOf(batch);
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt(request);
      if (result.outcome === "taken") return this.#taken(batch.length);
      const isLast = attempt === this.#bounds.attempts || this.#isClosing;
      if (result.outcome === "refused" || isLast) return this.#lose(batch.length, result.problem);
      await this.#pause(attempt, result.afterMs);
    }
  }

  async #attempt(request: Buffer): Promise<SendResult> {
    try {
      this.#requests.signal.throwIfAborted();
      return await this.#options.send(request, this.#requests.signal);
    } catch (error) {
      return { outcome: "again", problem: describeError(error) };
    }
  }

  /** Cut short at the end: then comes a last attempt. */
  async #pause(attempt: number, afterMs: number | undefined): Promise<void> {
    const { backoff } = this.#bounds;
    const ownMs = backoffDelay(attempt - 1, backoff, this.#options.chance());
    const ms = Math.min(MAX_PAUSE_MS, Math.max(ownMs, afterMs ?? 0));
    await delay(ms, undefined, { signal: this.#pauses.signal, ref: false }).catch(() => undefined);
  }

  #taken(spans: number): void {
    this.#sent += spans;
    if (!this.#isFailing) return;
    const { log, provider } = this.#options;
    log.info("spans are sent again", { provider, lost: this.#lostUntold });
    this.#isFailing = false;
    this.#lostUntold = 0;
  }

  #lose(spans: number, problem: string): void {
    this.#lost += spans;
    this.#lostUntold += spans;
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#options.log.warn("spans are lost", { provider: this.#options.provider, problem });
  }
}
