/**
 * The tries of one call at a destination: the endpoint of each, when it is made, and how it went, for outlier detection.
 * A connection that could not be made is tried twice more, as no byte has left then; whatever else is repeated is for
 * whoever carries the call.
 */
import type { Endpoint } from "../policy/workload-view.ts";
import type { CallSelection } from "./destination-balancer.ts";
import type { Attempts, ConnectAttempt } from "./exchange.ts";
import type { Abort } from "./http/received-message.ts";
import type { UpstreamConnectError } from "./upstream-dialer.ts";

/** Before the second and the third try, at an endpoint that was tried before; one that was not is tried at once. */
const PAUSES_MS = [150, 350];

export class DestinationAttempts<T> implements Attempts<T> {
  readonly #selection: CallSelection;
  readonly #targetOf: (endpoint: Endpoint) => T;
  #made = 1;

  /** @param targetOf how an endpoint is reached */
  constructor(selection: CallSelection, targetOf: (endpoint: Endpoint) => T) {
    this.#selection = selection;
    this.#targetOf = targetOf;
  }

  /** `set-cookie` of the answer, by which the next call goes the same way. */
  get setCookie(): string | undefined {
    return this.#selection.setCookie;
  }

  first(): T {
    return this.#targetOf(this.#selection.endpoint);
  }

  /** @returns undefined when nothing is left to try, or nothing may be tried any more */
  after(_failed: T, { prospect, fault }: UpstreamConnectError): ConnectAttempt<T> | undefined {
    const selection = this.#selection;
    if (fault === "there") selection.failed("connect-failed");
    if (prospect === "none") selection.ruleOut();
    const pauseMs = PAUSES_MS[this.#made - 1];
    if (pauseMs === undefined || selection.next() !== "selected") return undefined;
    this.#made++;
    return {
      endpoint: this.#targetOf(selection.endpoint),
      pauseMs: selection.isRepeat ? pauseMs : 0,
    };
  }

  /** How often is for whoever asks. */
  again(): T | undefined {
    const selection = this.#selection;
    return selection.next() === "selected" ? this.#targetOf(selection.endpoint) : undefined;
  }

  /** The request could not be sent at once. "overflow": it may not wait (UO). */
  waits(): "taken" | "overflow" {
    return this.#selection.waits();
  }

  /** It was sent, or its own connection stands. */
  sent(): void {
    this.#selection.connected();
  }

  /** Of gRPC, its status as HTTP has it (14 is 503). */
  answered(status: number): void {
    this.#selection.answered(status);
  }

  lost(why: Abort["cause"]): void {
    this.#selection.failed(why === "timeout" ? "timeout" : "reset");
  }

  /** The call is over, however it went. */
  done(): void {
    this.#selection.done();
  }
}
