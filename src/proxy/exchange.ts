/**
 * One HTTP request on its way through the sidecar, in terms of HTTP alone: what is decided about it does not depend on
 * the version it came in. Steps are synchronous and run in the order of their list.
 */
import type { Decision } from "../policy/decision.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { HeaderLookup } from "../telemetry/logged-call.ts";
import type { Span } from "../telemetry/tracing/span.ts";
import type { SpanSide } from "../telemetry/tracing/span-side.ts";
import { HeldFields } from "./http/held-fields.ts";
import type { Abort, HttpProtocol, ReceivedRequest } from "./http/received-message.ts";
import type { UpstreamConnections } from "./http/streams.ts";
import type { UpstreamConnectError, UpstreamEnds } from "./upstream-dialer.ts";

/** What steps read and write. */
export interface Exchange
  extends Pick<
    ReceivedRequest,
    "protocol" | "method" | "form" | "scheme" | "contentLength" | "upgrade"
  > {
  /** "none" also once it was met. */
  expectation: ReceivedRequest["expectation"];
  readonly startedAt: Date;
  /** As received, and as steps change them; whoever ends the exchange releases them. */
  readonly headers: HeldFields;
  /** In lower case: what the mesh alone may say in this request. Its trailers are rid of them, as its headers were. */
  reservedNames: readonly string[];
  authority: string | undefined;
  /** With its query; steps bring it into the form that is judged, logged and forwarded (AP-106). */
  path: string;
  decision: Decision | undefined;
  /** Where spans of such requests are told; absent: nowhere. */
  readonly spanSide: SpanSide | undefined;
  /** Of a request that is traced. */
  span: Span | undefined;
  /** Of an answer that goes on; absent: as it comes. */
  changeAnswer?: ((fields: HeldFields) => void) | undefined;
  /** While something has to be found out first. */
  onHold?: RequestOnHold | undefined;
}

/** A request that nobody serves yet, for those who find out something about it. */
export interface RequestOnHold {
  /** Of its body. Whoever has it sends no more than is wanted here and there. @param wanted more octets than are needed to know that it is too long */
  beginning(wanted: number): Promise<HeldBeginning>;
  /** Calls `listener`, the last that was given, when the client goes first. */
  whenLeft(listener: (() => void) | undefined): void;
  /** Who finds out something has so many octets of memory of its own for it now, which count as the request's. */
  alsoTakes(octets: number): void;
}

/** The first octets of a body, all that have come; "gone": the client has left, or what it sent is no body. */
export type HeldBeginning = BodyBeginning | "gone";

export interface BodyBeginning {
  /** In order, as they lie in the memory of whoever holds the body: to be read, and not to be kept. */
  readonly pieces: readonly Buffer[];
  readonly octets: number;
  readonly extent: "whole" | "partial";
}

/** An answer of our own. */
export interface Answer {
  readonly status: number;
  /** Plain text, unless `headers` have a `content-type`. */
  readonly body: string;
  readonly headers?: readonly string[];
  /** To who speaks gRPC; absent: by `status`. */
  readonly grpcStatus?: number;
  /** For the access log (OBS-6). */
  readonly flags: string;
  readonly details: string;
}

/** "reset": the connection ends without a byte. */
export type StepResult = "continue" | "reset" | Answer;
export type Step<E extends Exchange> = (exchange: E) => StepResult;

/** Where a request may be sent. */
export interface Route {
  /** As the callee is told. */
  readonly scheme: "http" | "https";
  readonly attempts: Attempts<Target>;
  /** What a user's route says of requests that take it; absent: nothing. */
  readonly terms?: RouteTerms | undefined;
}

/** For one request. What was judged, and is logged, is what came; this is what goes on. */
export interface RouteTerms {
  /** Absent: as it came. */
  readonly path?: string | undefined;
  readonly authority?: string | undefined;
  /** From the request's end to the answer's, retries included; absent: none. */
  readonly timeoutMs?: number | undefined;
  /** From a try to its answer's head; absent: none. */
  readonly perTryTimeoutMs?: number | undefined;
  /** Absent: nothing is repeated but what no callee has seen. */
  readonly retries?: Retries | undefined;
  /** Of an answer that goes on. */
  readonly changeAnswer?: ((fields: HeldFields) => void) | undefined;
}

/** How often a request may be sent again, and after what. */
export interface Retries {
  /** @returns milliseconds to wait; undefined: the answer goes on as it is */
  afterAnswer(status: number, grpcStatus: string | undefined): number | undefined;
  /** After a try that has no answer. @returns as above */
  afterLoss(cause: Abort["cause"]): number | undefined;
}

export interface Target {
  readonly address: SocketAddress;
  readonly connections: UpstreamConnections;
}

export interface ConnectAttempt<T> {
  readonly endpoint: T;
  /** Milliseconds to wait first. */
  readonly pauseMs: number;
}

/** Which targets serve one request, and in which order: a word with whoever chooses them. */
export interface Attempts<T> {
  /** @returns undefined when there is none */
  first(): T | undefined;
  /** After no connection could be made, and so no byte was sent. @returns undefined when nothing is left to try */
  after(failed: T, error: UpstreamConnectError): ConnectAttempt<T> | undefined;
  /** After an answer, or the loss of one, that is not to be the last word; absent, or undefined: nobody else may be asked. */
  again?(): T | undefined;
  /** The request could not be sent at once. "overflow": it may not wait (UO). */
  waits(): "taken" | "overflow";
  /** It was sent, for all we know. */
  sent(): void;
  /** `set-cookie` of the answer, by which the next call goes the same way; absent: none. */
  readonly setCookie?: string | undefined;
  /** The answer's head has come. Of gRPC, its status as HTTP has it. */
  answered(status: number): void;
  /** The request was sent, and its answer will not be complete. */
  lost(cause: Abort["cause"]): void;
  /** All is over. Called once. */
  done(): void;
}

/** What became of an exchange. */
export interface Outcome {
  /** Null when no answer was begun. */
  readonly status: number | null;
  readonly flags: string;
  readonly details: string;
  /** Bodies only. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly target?: SocketAddress | undefined;
  /** Of the connection to `target`, once there was one. */
  readonly ends?: UpstreamEnds | undefined;
  readonly transportFailure?: string | undefined;
  /** Of the answer that the callee began, as received; kept only where somebody asked for them. */
  readonly responseHeaders?: HeaderLookup | undefined;
  /** From when the request was sent on to when the answer began, in milliseconds. */
  readonly upstreamServiceMs?: number | undefined;
  /** Absent: now, when it is told. */
  readonly endedAt?: Date | undefined;
}

interface Opening {
  readonly startedAt: Date;
  /** The version that the client's application spoke. */
  readonly protocol: HttpProtocol;
  readonly spanSide: SpanSide | undefined;
}

/** A request as it came in. Each side of the sidecar adds what it knows: one object for each request, of one shape. */
export class OpenedExchange implements Exchange {
  readonly startedAt: Date;
  readonly protocol: HttpProtocol;
  readonly method: string;
  readonly form: ReceivedRequest["form"];
  readonly scheme: string;
  readonly contentLength: number;
  expectation: ReceivedRequest["expectation"];
  readonly upgrade: ReceivedRequest["upgrade"];
  readonly headers: HeldFields;
  reservedNames: readonly string[];
  authority: string | undefined;
  path: string;
  decision: Decision | undefined;
  readonly spanSide: SpanSide | undefined;
  span: Span | undefined;
  changeAnswer: ((fields: HeldFields) => void) | undefined;
  onHold: RequestOnHold | undefined;

  constructor(request: ReceivedRequest, { startedAt, protocol, spanSide }: Opening) {
    this.startedAt = startedAt;
    this.protocol = protocol;
    this.method = request.method;
    this.form = request.form;
    this.scheme = request.scheme;
    this.contentLength = request.contentLength;
    this.expectation = request.expectation;
    this.upgrade = request.upgrade;
    this.headers = HeldFields.borrow();
    this.headers.load(request.fields);
    this.reservedNames = NO_NAMES;
    this.authority = request.authority;
    this.path = request.path;
    this.decision = undefined;
    this.spanSide = spanSide;
    this.span = undefined;
    this.changeAnswer = undefined;
    this.onHold = undefined;
  }
}

const NO_NAMES: readonly string[] = [];

/** The first result that is not "continue". */
export function runSteps<E extends Exchange>(steps: readonly Step<E>[], exchange: E): StepResult {
  for (const step of steps) {
    const result = step(exchange);
    if (result !== "continue") return result;
  }
  return "continue";
}

/** An answer to a request that is itself at fault. */
export function refusal(status: number, problem: string): Answer {
  return {
    status,
    body: `${problem}\n`,
    flags: "-",
    details: `http1.${problem.replaceAll(" ", "_")}`,
  };
}
