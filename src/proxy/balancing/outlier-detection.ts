/**
 * Leaves out endpoints that fail several times in a row, and takes them back later, as Envoy's outlier detection does
 * with what Istio lets users say. Pure: whoever owns it calls `sweep` once in each interval. All times are milliseconds
 * of one clock that never goes back.
 * Source: `source/common/upstream/outlier_detection_impl.cc` of envoyproxy/envoy
 */
import type { EffectiveOutlierDetection } from "../../policy/effective-traffic-policy.ts";
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import type { EndpointSet } from "./endpoint-set.ts";

/** What went wrong on our side of a call, without a response: no connection, a broken one, or nothing in time. */
export type LocalOriginFailure = "connect-failed" | "reset" | "timeout";

/** Why an endpoint was ejected; as Envoy's log and metrics name it. */
export type EjectionCause =
  | "consecutive_5xx"
  | "consecutive_gateway_failure"
  | "consecutive_local_origin_failure";

/** "overflow": it should have been, and too many are already. */
export type Ejection = "ejected" | "overflow";

export interface OutlierEvents<T> {
  ejection(endpoint: BalancedEndpoint<T>, cause: EjectionCause, outcome: Ejection): void;
  /** Its time is over. */
  returned(endpoint: BalancedEndpoint<T>): void;
}

export class OutlierDetection<T> {
  readonly #set: EndpointSet<T>;
  readonly #events: OutlierEvents<T> | undefined;
  #settings: EffectiveOutlierDetection | undefined;

  /** @param settings absent: nothing is ever ejected */
  constructor(
    set: EndpointSet<T>,
    settings: EffectiveOutlierDetection | undefined,
    events?: OutlierEvents<T>,
  ) {
    this.#set = set;
    this.#events = events;
    this.#settings = settings;
    set.minHealthPercent = settings?.minHealthPercent ?? 0;
  }

  /** Whether anything is ever ejected: else nobody need tell how calls went. */
  get isOn(): boolean {
    return this.#settings !== undefined;
  }

  /** Other settings from now on, and errors are counted anew; without any settings, all come back at once. */
  configure(settings: EffectiveOutlierDetection | undefined): void {
    this.#settings = settings;
    this.#set.minHealthPercent = settings?.minHealthPercent ?? 0;
    for (const member of this.#set.members) {
      member.outlier.forgetErrors();
      if (settings !== undefined) continue;
      this.#set.restore(member);
      member.outlier.forgetEverything();
    }
  }

  /** When the next `sweep` is due, after one at `nowMs`; undefined: never. */
  nextSweepMs(nowMs: number): number | undefined {
    return this.#settings && nowMs + this.#settings.intervalMs;
  }

  /** A response has begun. Of gRPC, its status as HTTP has it (14 is 503). */
  responded(endpoint: BalancedEndpoint<T>, status: number, nowMs: number): void {
    if (endpoint.state === "draining" || this.#settings === undefined) return;
    const { outlier } = endpoint;
    if (status < 500 || status > 599) {
      outlier.consecutive5xxErrors = 0;
      outlier.consecutiveGatewayErrors = 0;
      return;
    }
    if (status < 502 || status > 504) outlier.consecutiveGatewayErrors = 0;
    else if (++outlier.consecutiveGatewayErrors === this.#settings.consecutiveGatewayErrors) {
      this.#eject(endpoint, "consecutive_gateway_failure", nowMs);
      outlier.consecutiveGatewayErrors = 0;
    }
    if (++outlier.consecutive5xxErrors === this.#settings.consecutive5xxErrors) {
      this.#eject(endpoint, "consecutive_5xx", nowMs);
      outlier.consecutive5xxErrors = 0;
    }
  }

  /** A connection stands. Where it carries TCP, that is all the success there will be; where HTTP, responses follow. */
  connected(endpoint: BalancedEndpoint<T>, carries: "http" | "tcp"): void {
    const { outlier } = endpoint;
    if (this.#settings?.localOriginFailures === "counted apart") {
      outlier.consecutiveLocalOriginFailures = 0;
    } else if (carries === "tcp") {
      outlier.consecutive5xxErrors = 0;
      outlier.consecutiveGatewayErrors = 0;
    }
  }

  /** Not counted apart, it is as good as a 504 where time ran out, and a 503 otherwise. */
  failed(endpoint: BalancedEndpoint<T>, failure: LocalOriginFailure, nowMs: number): void {
    if (endpoint.state === "draining" || this.#settings === undefined) return;
    if (this.#settings.localOriginFailures === "gateway errors") {
      this.responded(endpoint, failure === "timeout" ? 504 : 503, nowMs);
      return;
    }
    const { outlier } = endpoint;
    const enough = this.#settings.consecutiveLocalOriginFailures;
    if (++outlier.consecutiveLocalOriginFailures !== enough) return;
    this.#eject(endpoint, "consecutive_local_origin_failure", nowMs);
    outlier.consecutiveLocalOriginFailures = 0;
  }

  /** Takes back whose time is over; of others that were quiet for an interval, the next ejection will be shorter. */
  sweep(nowMs: number): void {
    const settings = this.#settings;
    if (settings === undefined) return;
    for (const member of this.#set.members) {
      if (member.state === "ejected") this.#restoreInTime(member, settings, nowMs);
      else easeBackoff(member, settings, nowMs);
    }
  }

  #restoreInTime(
    member: BalancedEndpoint<T>,
    settings: EffectiveOutlierDetection,
    nowMs: number,
  ): void {
    const { outlier } = member;
    const { baseEjectionTimeMs, maxEjectionTimeMs } = settings;
    const ejectionMs = Math.min(baseEjectionTimeMs * outlier.ejectionMultiplier, maxEjectionTimeMs);
    if (nowMs - outlier.ejectedAtMs < ejectionMs) return;
    outlier.forgetErrors();
    outlier.returnedAtMs = nowMs;
    this.#set.restore(member);
    this.#events?.returned(member);
  }

  /** One that is ejected already, and gets calls because of panic, is left alone. */
  #eject(endpoint: BalancedEndpoint<T>, cause: EjectionCause, nowMs: number): void {
    const settings = this.#settings;
    if (settings === undefined || endpoint.state !== "serving") return;
    const { ejectedCount, members } = this.#set;
    // Also the first one must fit, as istiod leaves `always_eject_one_host` off: 10 % of nine endpoints is none.
    if ((100 * (ejectedCount + 1)) / members.length > settings.maxEjectionPercent) {
      this.#events?.ejection(endpoint, cause, "overflow");
      return;
    }
    const { outlier } = endpoint;
    const { baseEjectionTimeMs, maxEjectionTimeMs } = settings;
    outlier.ejectedAtMs = nowMs;
    if (outlier.ejectionMultiplier * baseEjectionTimeMs < maxEjectionTimeMs + baseEjectionTimeMs) {
      outlier.ejectionMultiplier++;
    }
    this.#set.eject(endpoint);
    this.#events?.ejection(endpoint, cause, "ejected");
  }
}

function easeBackoff(
  { outlier }: BalancedEndpoint<unknown>,
  { intervalMs }: EffectiveOutlierDetection,
  nowMs: number,
): void {
  if (outlier.returnedAtMs === undefined || outlier.ejectionMultiplier === 0) return;
  if (nowMs - outlier.returnedAtMs >= intervalMs) outlier.ejectionMultiplier--;
}
