/**
 * The endpoint that one call goes to, and what the call holds of its destination's limits until it is over. Whoever makes
 * the call says how each try went; that is what outlier detection goes by.
 */
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import type { CircuitBreaker } from "./circuit-breaker.ts";
import { Ticket } from "./limited-resource.ts";
import type { LocalOriginFailure, OutlierDetection } from "./outlier-detection.ts";

/** Requests share connections; anything else has one of its own. */
export type Carried = "http" | "tcp";

/** "overflow": the circuit breaker does not allow it (UO); "no-healthy-upstream": there is none that may be picked (UH). */
export type SelectionProblem = "no-healthy-upstream" | "overflow";

/** What a selection needs of its destination. */
export interface SelectionSource<T> {
  readonly breaker: CircuitBreaker;
  readonly detection: OutlierDetection<T>;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

export interface SelectionParts<T> {
  readonly carried: Carried;
  /** For each try; it is told which were tried before. */
  readonly pick: (tried: readonly BalancedEndpoint<T>[]) => BalancedEndpoint<T> | undefined;
  /** See `CallHash`. */
  readonly setCookie?: string;
}

const NOTHING_TRIED: readonly never[] = [];

export class Selection<T> {
  readonly #source: SelectionSource<T>;
  readonly #parts: SelectionParts<T>;
  #current: BalancedEndpoint<T>;
  /** Made for the second try: most calls need one. */
  #tried: BalancedEndpoint<T>[] | undefined;
  #ruledOut: BalancedEndpoint<T>[] | undefined;
  #isRepeat = false;
  readonly #active = new Ticket();
  /** Of the destination: a request, or a connection of its own. */
  readonly #whole = new Ticket();
  #connection: Ticket | undefined;
  #pending: Ticket | undefined;
  #retry: Ticket | undefined;

  private constructor(
    source: SelectionSource<T>,
    parts: SelectionParts<T>,
    first: BalancedEndpoint<T>,
  ) {
    this.#source = source;
    this.#parts = parts;
    this.#current = first;
  }

  /** Picks the first endpoint and takes what the call needs. */
  static make<T>(
    source: SelectionSource<T>,
    parts: SelectionParts<T>,
  ): Selection<T> | SelectionProblem {
    const first = parts.pick(NOTHING_TRIED);
    if (first === undefined) return "no-healthy-upstream";
    const selection = new Selection(source, parts, first);
    if (selection.#takeWhole() === "overflow") {
      selection.done();
      return "overflow";
    }
    selection.#hold(first);
    return selection;
  }

  /** Where this try goes, as the latest view describes it. */
  get endpoint(): T {
    return this.#current.endpoint;
  }

  /** Whether this endpoint was tried before by this call: give it a moment. */
  get isRepeat(): boolean {
    return this.#isRepeat;
  }

  /** A field of the answer, by which the next call goes the same way. */
  get setCookie(): string | undefined {
    return this.#parts.setCookie;
  }

  /**
   * The endpoint for another try after one that failed; `endpoint` is another then, wherever there is one. Any other
   * result leaves the call with what it has: there is nobody to try, or no further retry is allowed.
   */
  next(): "selected" | SelectionProblem {
    const { breaker } = this.#source;
    const next = this.#pickNext();
    if (next === undefined) return "no-healthy-upstream";
    this.#retry ??= new Ticket();
    if (breaker.retries.take(this.#retry) === "overflow") return "overflow";
    this.#isRepeat = this.#triedSoFar.includes(next);
    this.#current = next;
    if (!this.#isRepeat) this.#triedSoFar.push(next);
    this.#pending?.giveBack();
    this.#hold(next);
    return "selected";
  }

  /** The present endpoint cannot serve this call, now or later: it is not tried again. */
  ruleOut(): void {
    this.#ruledOut ??= [];
    this.#ruledOut.push(this.#current);
  }

  /** No connection is free: the request waits for one, until `connected`, `next` or `done`. */
  waits(): "taken" | "overflow" {
    this.#pending ??= new Ticket();
    return this.#source.breaker.pendingRequests.take(this.#pending);
  }

  /** The call has a connection now; of a request, it was sent. */
  connected(): void {
    this.#pending?.giveBack();
    this.#source.detection.connected(this.#current, this.#parts.carried);
  }

  /** The answer has begun. Of gRPC, its status as HTTP has it (14 is 503). */
  answered(status: number): void {
    const { detection, now } = this.#source;
    if (detection.isOn) detection.responded(this.#current, status, now());
  }

  /** This try ended without an answer, for a reason on our side or in between. */
  failed(failure: LocalOriginFailure): void {
    this.#source.detection.failed(this.#current, failure, this.#source.now());
  }

  /** The call is over, however it went. To call it once too often is harmless. */
  done(): void {
    this.#active.giveBack();
    this.#whole.giveBack();
    this.#connection?.giveBack();
    this.#pending?.giveBack();
    this.#retry?.giveBack();
  }

  /** Of TCP, a connection that is being made waits, too, as in Envoy's pool. */
  #takeWhole(): "taken" | "overflow" {
    const { breaker } = this.#source;
    if (this.#parts.carried === "http") return breaker.requests.take(this.#whole);
    if (breaker.connections.take(this.#whole) === "overflow") return "overflow";
    return this.waits();
  }

  #hold(endpoint: BalancedEndpoint<T>): void {
    endpoint.requests.take(this.#active);
    if (this.#parts.carried === "http") return;
    this.#connection ??= new Ticket();
    endpoint.connections.take(this.#connection);
  }

  get #triedSoFar(): BalancedEndpoint<T>[] {
    this.#tried ??= [this.#current];
    return this.#tried;
  }

  #pickNext(): BalancedEndpoint<T> | undefined {
    const ruledOut = this.#ruledOut;
    const next = this.#parts.pick(this.#triedSoFar);
    if (ruledOut === undefined || next === undefined || !ruledOut.includes(next)) return next;
    // All were tried, and this one is no use: another that may recover, if there is one.
    return this.#triedSoFar.find((one) => one.state === "serving" && !ruledOut.includes(one));
  }
}
