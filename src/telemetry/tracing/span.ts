/** Spans: begun when a request's head is there, ended when all is known of it. What is not sampled costs no span. */
import type { LoggedCall } from "../logged-call.ts";
import { preciseTime } from "./precise-time.ts";
import { randomSpanId, randomTraceId } from "./random-ids.ts";
import { isSampled } from "./sampling.ts";
import type { SpanSide } from "./span-side.ts";
import {
  formatTraceParent,
  isTraceState,
  parseTraceParent,
  type TraceParent,
} from "./trace-context.ts";

/** Of the request that goes on; names are in lower case. */
export interface TraceHeaders {
  /** @returns all values, joined with "," */
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  remove(name: string): void;
}

/** By which a span is called. */
export interface CalledPlace {
  /** Of a call that is made. */
  readonly destination?: { readonly host: string; readonly servicePort: number } | undefined;
  /** Of a call that is taken. */
  readonly containerPort?: number | undefined;
  readonly authority?: string | undefined;
}

export interface Span {
  readonly side: SpanSide;
  readonly traceId: string;
  readonly spanId: string;
  /** Absent: the trace begins here. */
  readonly parentId?: string;
  readonly traceState?: string;
  readonly name: string;
  /** Milliseconds since 1970, with fractions. */
  readonly startedAt: number;
}

const PARENT = "traceparent";
const STATE = "tracestate";
/** What every participant must be able to pass on; longer ones pass, and are told in no span. */
const MAX_TOLD_STATE = 512;

/**
 * Joins the trace of the request's caller, or begins one; whom it is sent to is told of it.
 *
 * @param headers those that go on: changed, unless the caller decided against sampling
 * @returns undefined for a request that is not sampled
 */
export function startSpan(
  side: SpanSide,
  headers: TraceHeaders,
  place: CalledPlace,
): Span | undefined {
  const given = headers.get(PARENT);
  const parent = given === undefined ? undefined : parseTraceParent(given);
  const traceState = keptState(headers, parent);
  if (side.propagation === "off") forget(headers);
  if (!(parent?.isSampled ?? isSampled(headers, side, side.chance))) {
    if (parent === undefined && side.propagation === "on") tellUnsampled(headers);
    return undefined;
  }
  const span = {
    side,
    traceId: parent?.traceId ?? randomTraceId(),
    spanId: randomSpanId(),
    ...(parent && { parentId: parent.parentId }),
    ...(traceState !== undefined && { traceState }),
    name: side.nameOf(place),
    startedAt: preciseTime(),
  };
  if (side.propagation === "on") {
    headers.set(
      PARENT,
      formatTraceParent({ traceId: span.traceId, parentId: span.spanId, isSampled: true }),
    );
  }
  return span;
}

/** To be called once, with what an access log would tell. */
export function endSpan(span: Span, call: LoggedCall): void {
  span.side.tell(span, { call, endedAt: preciseTime() });
}

/** Of no use without a parent, and dropped where it cannot be read (W3C trace context, 3.3 and 4.3). */
function keptState(headers: TraceHeaders, parent: TraceParent | undefined): string | undefined {
  const state = headers.get(STATE);
  if (state === undefined) return undefined;
  if (parent !== undefined && isTraceState(state)) {
    return state.length <= MAX_TOLD_STATE ? state : undefined;
  }
  headers.remove(STATE);
  return undefined;
}

function forget(headers: TraceHeaders): void {
  headers.remove(PARENT);
  headers.remove(STATE);
}

/** Those called decide alike. */
function tellUnsampled(headers: TraceHeaders): void {
  const parent = { traceId: randomTraceId(), parentId: randomSpanId(), isSampled: false };
  headers.set(PARENT, formatTraceParent(parent));
}
