/**
 * Sends one request on and brings its answer back: bodies flow at the slower side's pace, and whichever side fails first
 * takes the other with it. Bytes that were sent are never sent again, unless doing so can do no harm.
 */
import { GRPC_STATUS, outlierStatus } from "../balancing/outlier-status.ts";
import type { Exchange, Outcome, Route, RouteTerms, Target } from "../exchange.ts";
import { answerInKind } from "../grpc-answer.ts";
import type { UpstreamConnectError } from "../upstream-dialer.ts";
import { type AnswerListener, AnswerSide } from "./answer-side.ts";
import { BodyPipe } from "./body-pipe.ts";
import { changedFields } from "./changed-fields.ts";
import {
  CLIENT_LEFT,
  CONNECTION_FAILURE,
  type Failure,
  IDLE,
  LOST,
  MALFORMED_ANSWER,
  NO_ENDPOINT,
  NO_ROOM,
  NOT_SAYABLE,
  OVERFLOW,
  OVERLOADED,
  PASSED_ON,
  RESETS,
  TIMED_OUT,
  TOO_LATE,
  TOO_MANY,
  UNCHANGEABLE,
  UNSENDABLE,
} from "./forwarding-failures.ts";
import { KeptAnswerFields } from "./kept-answer-fields.ts";
import { outgoingRequest } from "./outgoing-request.ts";
import type { Abort, Following, ReceivedAnswer, ReceivedFields } from "./received-message.ts";
import { ReplayedBody } from "./replayed-body.ts";
import { withoutReserved } from "./reserved-names.ts";
import { mayBeSentAgain, type SentRequest } from "./safe-repeat.ts";
import type {
  ClientStream,
  OutgoingRequest,
  RequestSink,
  Sending,
  ServerStream,
} from "./streams.ts";
import { UnsendableRequestError } from "./upstream-connections-member.ts";
import { WaitingOverflowError } from "./upstream-connections-waiting.ts";

export interface ForwardingOptions {
  readonly stream: ServerStream;
  readonly exchange: Exchange;
  readonly route: Route;
  /** Of the request. */
  readonly following: Following;
  /** Whether somebody wants to know the answer's fields when all is over. */
  readonly answerFields: "kept" | "passed on";
  /** Hears of the exchange once, when it is over. */
  readonly record: (outcome: Outcome) => void;
  /**
   * Of what is still under way: asks the newest policy. @returns the details of the refusal, for the access log;
   * undefined: it may go on. Absent: nobody asks
   */
  readonly judgeAgain?: (() => string | undefined) | undefined;
}

/** After a change of policy, requests that were under way. */
const MAY_END_WITHIN_MS = 4_000;

export class Forwarding implements RequestSink, AnswerListener {
  readonly #stream: ServerStream;
  readonly #exchange: Exchange;
  readonly #attempts: Route["attempts"];
  readonly #terms: RouteTerms | undefined;
  readonly #following: Following;
  readonly #keepsFields: boolean;
  readonly #record: (outcome: Outcome) => void;
  readonly #judgeAgain: (() => string | undefined) | undefined;
  readonly #answer: AnswerSide;
  /** Of the request's body; absent: it has none. */
  readonly #body: BodyPipe | undefined;
  /** Of a body that another callee may have to be sent; absent: nothing is kept for one. */
  readonly #replay: ReplayedBody | undefined;
  readonly #outgoing: OutgoingRequest;
  #target: Target | undefined;
  #sending: Sending | undefined;
  #client: ClientStream | undefined;
  #pause: NodeJS.Timeout | undefined;
  /** Of the whole request, and of one try; where its route has such. */
  #deadline: NodeJS.Timeout | undefined;
  #tryDeadline: NodeJS.Timeout | undefined;
  /** After a change of policy. */
  #rejudging: NodeJS.Timeout | undefined;
  /** Between being given to connections and being sent, or not. */
  #isWaiting = false;
  /** How often it was given to connections: one may refuse it at once, and the next have it before the first has returned. */
  #attempt = 0;
  #repeated = false;
  /** Monotonic, in milliseconds. */
  #sentAt = 0;
  #serviceMs: number | undefined;
  #status: number | null = null;
  /** Of an answer of our own. */
  #ownOctets = 0;
  #answerFields: KeptAnswerFields | undefined;
  #failure: Failure | undefined;
  #transportFailure: string | undefined;
  #isAnswerComplete = false;
  #isOver = false;

  constructor(options: ForwardingOptions) {
    const { stream, exchange, route, following, answerFields, record, judgeAgain } = options;
    this.#stream = stream;
    this.#exchange = exchange;
    this.#attempts = route.attempts;
    this.#terms = route.terms;
    this.#following = following;
    this.#keepsFields = answerFields === "kept";
    this.#record = record;
    this.#judgeAgain = judgeAgain;
    this.#answer = new AnswerSide(this, stream);
    this.#body = following === "more" ? new BodyPipe(stream, this) : undefined;
    const isRetried = route.terms?.retries !== undefined && exchange.upgrade === "none";
    this.#replay = isRetried && this.#body !== undefined ? new ReplayedBody(this) : undefined;
    this.#outgoing = outgoingRequest(exchange, route);
  }

  /** To be called once, after the stream's owner knows its sink. */
  start(): void {
    const target = this.#attempts.first();
    if (target === undefined) {
      this.#refuse(NO_ENDPOINT, { status: 503, body: LOST });
      return;
    }
    if (this.#exchange.expectation === "continue") this.#stream.interim(100);
    if (this.#following === "last") this.#requestEnded();
    this.#send(target);
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    if (following === "last") this.#requestEnded();
    this.#body?.data(bytes, from, to, following);
  }

  trailers(fields: ReceivedFields): void {
    this.#requestEnded();
    const { reservedNames } = this.#exchange;
    if (reservedNames.length === 0) this.#body?.trailers(fields);
    else withoutReserved(fields, reservedNames, (left) => this.#body?.trailers(left));
  }

  /** The client has gone, or what it sends is no message any more. */
  aborted(why: Abort): void {
    this.#leaveCallee();
    if (why.cause !== "malformed") {
      this.#failure ??= why.cause === "timeout" ? IDLE : CLIENT_LEFT;
      return;
    }
    const failure = { flags: "DPE", details: why.details };
    this.#failure ??= failure;
    if (this.#status === null && why.status !== null)
      this.#refuse(failure, { status: why.status, body: "the body is malformed\n" });
    else this.#stream.reset();
  }

  writable(): void {
    this.#answer.clientWritable();
  }

  /** Of all bodies that are held, one of these has stood still for longest, and there is too much of them. */
  giveUp(): void {
    if (this.#isOver) return;
    this.#leaveCallee();
    this.#failure ??= OVERLOADED;
    if (this.#status === null) this.#refuse(OVERLOADED, { status: 503, body: NO_ROOM });
    else this.#stream.reset();
  }

  /** What is no request any more is judged at once; a request may end as it was let in, unless it takes long. */
  judgeAgain(): void {
    if (this.#isOver || this.#judgeAgain === undefined) return;
    if (this.#exchange.upgrade === "websocket") this.#endIfRefused();
    else this.#rejudging ??= setTimeout(() => this.#endIfRefused(), MAY_END_WITHIN_MS).unref();
  }

  #endIfRefused(): void {
    this.#rejudging = undefined;
    const details = this.#isOver ? undefined : this.#judgeAgain?.();
    if (details === undefined) return;
    this.#failure ??= { flags: "-", details };
    this.#leaveCallee();
    this.#stream.reset();
  }

  finished(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#deadline);
    clearTimeout(this.#rejudging);
    const isUnsent = this.#body?.isPassedOn === false || this.#replay?.isBehind === true;
    if (!this.#isAnswerComplete || isUnsent) this.#leaveCallee();
    this.#attempts.done();
    this.#answer.close();
    this.#body?.close();
    this.#replay?.close();
    this.#record(this.#outcome());
    this.#answerFields?.release();
  }

  // What the callee's side says.

  failed(error: UpstreamConnectError): void {
    this.#sending = undefined;
    this.#isWaiting = false;
    const target = this.#target;
    if (this.#isOver || target === undefined) return;
    if (error instanceof WaitingOverflowError) {
      this.#refuse(OVERFLOW, { status: 503, body: TOO_MANY });
      return;
    }
    if (error instanceof UnsendableRequestError) {
      this.#refuse(UNSENDABLE, { status: 400, body: NOT_SAYABLE });
      return;
    }
    this.#transportFailure = error.reason;
    const next = this.#attempts.after(target, error);
    if (next === undefined)
      this.#refuse(
        { ...CONNECTION_FAILURE, transportFailure: error.reason },
        { status: 503, body: LOST },
      );
    else if (next.pauseMs === 0) this.#send(next.endpoint);
    else this.#pause = setTimeout(() => this.#send(next.endpoint), next.pauseMs);
  }

  sent(client: ClientStream): void {
    this.#sending = undefined;
    this.#isWaiting = false;
    this.#attempts.sent();
    this.#client = client;
    this.#transportFailure = undefined;
    this.#sentAt = performance.now();
    this.#answer.setSender(client);
    this.#replay?.setReceiver(client);
    this.#body?.setReceiver(this.#replay ?? client);
    const tryMs = this.#terms?.perTryTimeoutMs;
    if (tryMs !== undefined) this.#tryDeadline = setTimeout(() => this.#giveUpTry(), tryMs);
  }

  answered(answer: ReceivedAnswer, following: Following): void {
    this.#serviceMs = Math.round(performance.now() - this.#sentAt);
    clearTimeout(this.#tryDeadline);
    this.#attempts.answered(outlierStatus(answer, this.#exchange.headers));
    const retries = this.#terms?.retries;
    if (retries !== undefined && this.#mayReplay) {
      const pauseMs = retries.afterAnswer(answer.status, grpcStatusOf(answer));
      if (pauseMs !== undefined && this.#tryAgain(pauseMs)) return;
    }
    this.#status = answer.status;
    if (this.#keepsFields) this.#answerFields = new KeptAnswerFields(answer.fields, this);
    if (following === "last") this.#isAnswerComplete = true;
    if (answer.isSwitch) this.#stream.switchProtocols(answer);
    else this.#passHead(answer, following);
  }

  calleeWritable(): void {
    this.#replay?.writable();
    this.#body?.writable();
  }

  answerComplete(): void {
    this.#isAnswerComplete = true;
  }

  lost(why: Abort): void {
    const client = this.#client;
    this.#client = undefined;
    clearTimeout(this.#tryDeadline);
    if (this.#isOver) return;
    const { flags, reason, status } = RESETS[why.cause];
    this.#attempts.lost(why.cause);
    if (this.#status !== null) {
      this.#failure ??= { flags, details: `upstream_reset_after_response_started{${reason}}` };
      this.#stream.reset();
      return;
    }
    if (!this.#repeated && mayBeSentAgain(why, this.#sentBy(client))) {
      this.#repeated = true;
      this.#body?.dropReceiver();
      this.#target?.connections.dropIdle();
      if (this.#target !== undefined) this.#send(this.#target);
      return;
    }
    const pauseMs = this.#mayReplay ? this.#terms?.retries?.afterLoss(why.cause) : undefined;
    if (pauseMs !== undefined && this.#tryAgain(pauseMs)) return;
    const details = `upstream_reset_before_response_started{${reason}}`;
    const body = why.cause === "malformed" ? MALFORMED_ANSWER : LOST;
    this.#refuse({ flags, details, transportFailure: why.details }, { status, body });
  }

  #requestEnded(): void {
    const timeoutMs = this.#terms?.timeoutMs;
    if (timeoutMs === undefined || this.#deadline !== undefined || this.#isOver) return;
    this.#deadline = setTimeout(() => this.#runOut(), timeoutMs);
  }

  /** A connection that has switched is no request any more. */
  #runOut(): void {
    if (this.#isOver || (this.#status !== null && this.#exchange.upgrade !== "none")) return;
    this.#leaveCallee();
    this.#attempts.lost("timeout");
    if (this.#status === null) this.#refuse(TIMED_OUT, { status: 504, body: TOO_LATE });
    else {
      this.#failure ??= TIMED_OUT;
      this.#stream.reset();
    }
  }

  #giveUpTry(): void {
    if (this.#isOver || this.#status !== null) return;
    this.#client?.reset();
    this.lost({ cause: "timeout", details: "per_try_timeout" });
  }

  /** There is no body, or all of it that has come can be sent again. */
  get #mayReplay(): boolean {
    if (this.#outgoing.upgrade !== undefined) return false;
    return this.#following === "last" || this.#replay?.isWhole === true;
  }

  #tryAgain(pauseMs: number): boolean {
    const next = this.#attempts.again?.();
    if (next === undefined) return false;
    this.#client?.reset();
    this.#client = undefined;
    this.#replay?.dropReceiver();
    this.#pause = setTimeout(() => this.#send(next), pauseMs);
    return true;
  }

  #passHead(answer: ReceivedAnswer, following: Following): void {
    const { setCookie } = this.#attempts;
    const change = this.#terms?.changeAnswer;
    const { changeAnswer } = this.#exchange;
    if (setCookie === undefined && change === undefined && changeAnswer === undefined) {
      this.#stream.head(answer, following);
      return;
    }
    const fields = changedFields(answer.fields, { change, changeAnswer, setCookie });
    if (fields === undefined) {
      this.#withhold();
      return;
    }
    this.#stream.head(
      { status: answer.status, fields, contentLength: answer.contentLength },
      following,
    );
    fields.release();
  }

  /** An answer that cannot be changed as it must be, since it has no room for another field: what was to go from it may be there. */
  #withhold(): void {
    this.#leaveCallee();
    this.#refuse(UNCHANGEABLE, { status: 500, body: "the service's answer has too many fields\n" });
  }

  #send(target: Target): void {
    if (this.#isOver) return;
    this.#target = target;
    this.#isWaiting = true;
    const attempt = ++this.#attempt;
    const sending = target.connections.send(this.#outgoing, this.#following, this.#answer);
    // It may have been sent, or have failed and gone to another target, meanwhile.
    if (!this.#isWaiting || attempt !== this.#attempt) return;
    this.#sending = sending;
    if (this.#attempts.waits() === "taken") return;
    this.#leaveCallee();
    this.#refuse(OVERFLOW, { status: 503, body: TOO_MANY });
  }

  #sentBy(client: ClientStream | undefined): SentRequest {
    return {
      method: this.#exchange.method,
      // Before its answer nothing goes out behind a request for a switch.
      hasBody: this.#following === "more" && this.#outgoing.upgrade === undefined,
      bodyHasBegun: this.#body?.hasBegun === true,
      isReused: client?.isReused === true,
    };
  }

  #refuse(
    { transportFailure, ...failure }: Failure & { readonly transportFailure?: string },
    { status, body }: { readonly status: number; readonly body: string },
  ): void {
    this.#failure ??= failure;
    this.#transportFailure = transportFailure ?? this.#transportFailure;
    const answer = answerInKind({ status, body, ...failure }, this.#exchange);
    this.#status = answer.status;
    this.#ownOctets = this.#exchange.method === "HEAD" ? 0 : Buffer.byteLength(answer.body);
    this.#stream.answer(answer);
  }

  #leaveCallee(): void {
    clearTimeout(this.#pause);
    clearTimeout(this.#tryDeadline);
    this.#sending?.cancel();
    this.#sending = undefined;
    const client = this.#client;
    this.#client = undefined;
    client?.reset();
  }

  #outcome(): Outcome {
    const { flags, details } = this.#failure ?? PASSED_ON;
    return {
      status: this.#status,
      flags,
      details,
      bytesReceived: this.#body?.octets ?? 0,
      bytesSent: this.#answer.octets + this.#ownOctets,
      target: this.#target?.address,
      ends: this.#answer.ends,
      transportFailure: this.#transportFailure,
      responseHeaders: this.#answerFields?.fields,
      upstreamServiceMs: this.#serviceMs,
    };
  }
}

/** Of an answer without a body: what has one says it in its trailers, too late for a retry. */
function grpcStatusOf({ fields }: ReceivedAnswer): string | undefined {
  return GRPC_STATUS.joinedValue(fields);
}
