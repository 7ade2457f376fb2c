/**
 * The step of rate limits: whether all that apply to a request have room for it. One that is refused spends nothing of any,
 * and where all count locally nothing is waited for.
 */
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";
import type { Decision } from "../../policy/decision.ts";
import type { LimitOutcome } from "../../policy/rate-limits/limit-outcome.ts";
import type { HttpRequest } from "../../policy/traffic.ts";
import type { Trust } from "../../policy/workload-view.ts";
import type { Answer, StepResult } from "../exchange.ts";
import type { HeldFields } from "../http/held-fields.ts";
import type { Waiting } from "../waiting-steps.ts";
import { CountedLimit } from "./counted-limit.ts";
import { GlobalCount, type GlobalFound } from "./global-count.ts";
import type { KnownLimits } from "./known-limits.ts";
import { type LimitState, limitFields, retryAfterField } from "./limit-fields.ts";
import type { Asker } from "./limit-meter.ts";

/** A request that was let in so far. */
export interface LimitedRequest extends HttpRequest {
  decision: Decision | undefined;
  /** As in `Exchange`. */
  changeAnswer?: ((fields: HeldFields) => void) | undefined;
}

export class RateLimits {
  readonly #known: KnownLimits;
  readonly #local: readonly CountedLimit[];
  /** Absent: none counts for the mesh. */
  readonly #global: GlobalCount | undefined;
  readonly #tellsAlways: boolean;

  private constructor(limits: readonly CountedLimit[], known: KnownLimits) {
    const global = limits.filter(({ limit }) => limit.scope === "Global");
    this.#known = known;
    this.#local = limits.filter(({ limit }) => limit.scope === "Local");
    this.#global = global.length === 0 ? undefined : new GlobalCount(global, known);
    this.#tellsAlways = limits.some(({ limit }) => limit.headers === "Always");
  }

  /**
   * @param limits of a view
   * @returns undefined where none counts requests
   */
  static of(
    limits: readonly AppliedRateLimit[],
    { known, trust }: { readonly known: KnownLimits; readonly trust: Trust },
  ): RateLimits | undefined {
    const ours = limits.filter(({ counts }) => counts === "requests");
    if (ours.length === 0) return undefined;
    const counted = ours.map(
      (limit) => new CountedLimit(limit, { count: known.countOf(limit), trust }),
    );
    return new RateLimits(counted, known);
  }

  /** The last step: whoever comes here is let in if there is room. */
  admit(request: LimitedRequest): StepResult | Waiting {
    const now = this.#known.now();
    const refusing = this.#look(request, now);
    if (refusing !== undefined) return this.#refuse(refusing, request);
    const taken = this.#takeLocally(request);
    if (this.#tellsAlways) tellAll(request, statesOf(this.#local, now));
    if (this.#global === undefined) return "continue";
    return this.#admitGlobally(this.#global, { request, taken });
  }

  /** @returns the first that is in force and has no room */
  #look(request: LimitedRequest, now: number): CountedLimit | undefined {
    for (const counted of this.#local) {
      if (!counted.concerns(request) || counted.look(now) === "room") continue;
      if (counted.limit.mode === "Enforce") return counted;
    }
    return undefined;
  }

  /** @returns what is to be given back if the request is refused after all */
  #takeLocally(request: LimitedRequest): readonly Taken[] {
    const taken: Taken[] = [];
    for (const counted of this.#local) {
      const { seen, bucket, sharer } = counted;
      if (seen === "over") noteTrial(counted, request);
      if (seen !== "room") continue;
      counted.take();
      if (this.#global !== undefined) taken.push([counted, { bucket, sharer }]);
    }
    return taken;
  }

  #refuse(counted: CountedLimit, request: LimitedRequest): Answer {
    counted.tally.refused++;
    return refuse(request, {
      outcome: counted.outcome(request),
      state: stateOf(counted),
      headers: counted.limit.headers,
    });
  }

  #admitGlobally(global: GlobalCount, admitted: TakenRequest): StepResult | Waiting {
    const found = global.count(admitted.request);
    if (!(found instanceof Promise)) return this.#settle(found, admitted);
    return { until: found.then((later) => this.#settle(later, admitted)) };
  }

  #settle(
    { refused, trials, states, uncounted }: GlobalFound,
    { request, taken }: TakenRequest,
  ): StepResult {
    for (const outcome of trials) noteOutcome(outcome, request);
    const { decision } = request;
    if (uncounted.length > 0 && decision !== undefined)
      request.decision = { ...decision, uncounted };
    if (refused === undefined) {
      if (this.#tellsAlways) tellAll(request, states);
      return "continue";
    }
    for (const [counted, asker] of taken) counted.giveBack(asker);
    return refuse(request, refused);
  }
}

type Taken = readonly [counted: CountedLimit, asker: Asker];

interface TakenRequest {
  readonly request: LimitedRequest;
  readonly taken: readonly Taken[];
}

function noteTrial(counted: CountedLimit, request: LimitedRequest): void {
  counted.tally.wouldRefuse++;
  noteOutcome(counted.outcome(request), request);
}

function noteOutcome(outcome: LimitOutcome, request: LimitedRequest): void {
  const { decision } = request;
  if (decision === undefined) return;
  request.decision = { ...decision, shadowLimits: [...(decision.shadowLimits ?? []), outcome] };
}

/** Of limits in force: callers hear nothing of one on trial. */
function statesOf(counted: readonly CountedLimit[], now: number): readonly LimitState[] {
  return counted
    .filter(({ seen, limit }) => seen !== "apart" && isTold(limit))
    .map((one) => {
      one.look(now);
      return stateOf(one);
    });
}

function isTold({ headers, mode }: AppliedRateLimit): boolean {
  return headers === "Always" && mode === "Enforce";
}

function stateOf({ limit, meter }: CountedLimit): LimitState {
  return { limit, left: meter.left(), inMs: meter.fullIn() };
}

function tellAll(request: LimitedRequest, states: readonly LimitState[]): void {
  if (states.length === 0) return;
  const { changeAnswer: before } = request;
  const pairs = limitFields(states);
  request.changeAnswer = (fields) => {
    before?.(fields);
    tellWhereThereIsRoom(fields, pairs);
  };
}

/** What there is no room for is left out: the application's answer goes on. */
function tellWhereThereIsRoom(fields: HeldFields, pairs: readonly string[]): void {
  try {
    for (let index = 0; index + 1 < pairs.length; index += 2)
      fields.add(pairs[index] ?? "", pairs[index + 1] ?? "");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

/** What refuses a request, and what its answer tells of it. */
export interface RefusedByLimit {
  readonly outcome: LimitOutcome;
  readonly state: LimitState;
  readonly headers: AppliedRateLimit["headers"];
}

/** As Envoy says it, but for gRPC, whose callers would try again at once what they are told is unavailable. */
function refuse(request: LimitedRequest, { outcome, state, headers }: RefusedByLimit): Answer {
  const { decision } = request;
  const reason = { because: "rate-limited", ...outcome } as const;
  request.decision = { ...decision, verdict: "deny", reason };
  if (outcome.unavailable)
    return {
      status: 503,
      body: "rate_limiter_error",
      flags: "RLSE",
      details: "rate_limiter_error",
    };
  const isLocal = outcome.scope === "Local";
  const told = headers === "Never" ? [] : limitFields([{ ...state, inMs: outcome.retryAfterMs }]);
  return {
    status: 429,
    body: isLocal ? "local_rate_limited" : "request_rate_limited",
    headers: [...told, ...retryAfterField(outcome.retryAfterMs)],
    grpcStatus: RESOURCE_EXHAUSTED,
    flags: "RL",
    details: isLocal ? "local_rate_limited" : "request_rate_limited",
  };
}

const RESOURCE_EXHAUSTED = 8;
