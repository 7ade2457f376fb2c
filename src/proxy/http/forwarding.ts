/**
 * Sends one request on and brings its answer back: bodies flow at the slower side's pace, and whichever side fails first
 * takes the other with it. Bytes that were sent are never sent again, unless doing so can do no harm.
 */
import type { METHOD } from "../../http/methods.ts";
import { outlierStatus } from "../balancing/outlier-status.ts";
import type { Exchange, Outcome, Route, Target } from "../exchange.ts";
import { answerInKind } from "../grpc-answer.ts";
import type { UpstreamConnectError } from "../upstream-dialer.ts";
import { BodyPipe } from "./body-pipe.ts";
import { HeldFields } from "./held-fields.ts";
import type { Holder } from "./holding-limit.ts";
import type { Abort, Following, ReceivedAnswer, ReceivedFields } from "./received-message.ts";
import type {
  AnswerSink,
  ClientStream,
  OutgoingRequest,
  RequestSink,
  Sending,
  ServerStream,
} from "./streams.ts";
import { UnsendableRequestError } from "./upstream-connections-member.ts";
import { WaitingOverflowError } from "./upstream-connections-waiting.ts";

/** Methods that may be repeated (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
] satisfies (keyof typeof METHOD)[]);

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
   * Of what outlives its request: asks the newest policy. @returns the details of the refusal, for the access log;
   * undefined: it may go on. Absent: nobody asks
   */
  readonly judgeAgain?: (() => string | undefined) | undefined;
}

interface Failure {
  readonly headers?: readonly string[];
  readonly flags: string;
  readonly details: string;
}

/** How an upstream's end is told (OBS-6), as Envoy's `upstream_reset_before_response_started{...}`. */
const RESETS: Readonly<Record<Abort["cause"], { flags: string; reason: string; status: number }>> =
  {
    closed: { flags: "UC", reason: "connection_termination", status: 503 },
    reset: { flags: "UR", reason: "remote_reset", status: 503 },
    malformed: { flags: "UPE", reason: "protocol_error", status: 502 },
    timeout: { flags: "UT", reason: "response_timeout", status: 504 },
  };
const PASSED_ON = { flags: "-", details: "via_upstream" };
const CONNECTION_FAILURE = {
  flags: "UF",
  details: "upstream_reset_before_response_started{connection_failure}",
};
const NO_ENDPOINT = { flags: "UH", details: "no_healthy_upstream" };
const OVERFLOW = {
  flags: "UO",
  details: "upstream_reset_before_response_started{overflow}",
  headers: ["x-envoy-overloaded", "true"],
};
const NO_ROOM = "too much is held for peers that do not read\n";
const UNSENDABLE = { flags: "-", details: "request_not_sendable" };
const NOT_SAYABLE = "the request cannot be said in the version of HTTP that the service speaks\n";
const TOO_MANY = "too many requests to the service are under way\n";
/** As Envoy's overload manager resets the streams that hold most. */
const OVERLOADED = { flags: "OM", details: "overload" };
const CLIENT_LEFT = { flags: "DC", details: "downstream_remote_disconnect" };
const IDLE = { flags: "SI", details: "stream_idle_timeout" };
const LOST = "no connection to the service, or it was lost before an answer\n";
const MALFORMED_ANSWER = "the service's answer is malformed\n";

export class Forwarding implements RequestSink, Holder {
  readonly #stream: ServerStream;
  readonly #exchange: Exchange;
  readonly #attempts: Route["attempts"];
  readonly #following: Following;
  readonly #keepsFields: boolean;
  readonly #record: (outcome: Outcome) => void;
  readonly #judgeAgain: (() => string | undefined) | undefined;
  readonly #answer: AnswerSide;
  /** Of the request's body; absent: it has none. */
  readonly #body: BodyPipe | undefined;
  readonly #outgoing: OutgoingRequest;
  #target: Target | undefined;
  #sending: Sending | undefined;
  #client: ClientStream | undefined;
  #pause: NodeJS.Timeout | undefined;
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
  #answerFields: HeldFields | undefined;
  #failure: Failure | undefined;
  #transportFailure: string | undefined;
  #isAnswerComplete = false;
  #isOver = false;

  constructor(options: ForwardingOptions) {
    const { stream, exchange, route, following, answerFields, record, judgeAgain } = options;
    this.#stream = stream;
    this.#exchange = exchange;
    this.#attempts = route.attempts;
    this.#following = following;
    this.#keepsFields = answerFields === "kept";
    this.#record = record;
    this.#judgeAgain = judgeAgain;
    this.#answer = new AnswerSide(this, stream);
    this.#body = following === "more" ? new BodyPipe(stream, this) : undefined;
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
    this.#send(target);
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    this.#body?.data(bytes, from, to, following);
  }

  trailers(fields: ReceivedFields): void {
    this.#body?.trailers(fields);
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

  judgeAgain(): void {
    const details = this.#isOver ? undefined : this.#judgeAgain?.();
    if (details === undefined) return;
    this.#failure ??= { flags: "-", details };
    this.#leaveCallee();
    this.#stream.reset();
  }

  finished(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isAnswerComplete || this.#body?.isPassedOn === false) this.#leaveCallee();
    this.#attempts.done();
    this.#answer.close();
    this.#body?.close();
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
    this.#body?.setReceiver(client);
  }

  answered(answer: ReceivedAnswer, following: Following): void {
    this.#serviceMs = Math.round(performance.now() - this.#sentAt);
    this.#status = answer.status;
    this.#attempts.answered(outlierStatus(answer, this.#exchange.headers));
    if (this.#keepsFields) {
      this.#answerFields = HeldFields.borrow();
      this.#answerFields.load(answer.fields);
    }
    if (following === "last") this.#isAnswerComplete = true;
    if (answer.isSwitch) this.#stream.switchProtocols(answer);
    else this.#passHead(answer, following);
  }

  calleeWritable(): void {
    this.#body?.writable();
  }

  answerComplete(): void {
    this.#isAnswerComplete = true;
  }

  lost(why: Abort): void {
    const client = this.#client;
    this.#client = undefined;
    if (this.#isOver) return;
    const { flags, reason, status } = RESETS[why.cause];
    this.#attempts.lost(why.cause);
    if (this.#status !== null) {
      this.#failure ??= { flags, details: `upstream_reset_after_response_started{${reason}}` };
      this.#stream.reset();
      return;
    }
    if (this.#mayRepeat(why, client)) {
      this.#repeated = true;
      this.#body?.dropReceiver();
      this.#target?.connections.dropIdle();
      if (this.#target !== undefined) this.#send(this.#target);
      return;
    }
    const details = `upstream_reset_before_response_started{${reason}}`;
    const body = why.cause === "malformed" ? MALFORMED_ANSWER : LOST;
    this.#refuse({ flags, details, transportFailure: why.details }, { status, body });
  }

  #passHead(answer: ReceivedAnswer, following: Following): void {
    const { setCookie } = this.#attempts;
    if (setCookie === undefined) {
      this.#stream.head(answer, following);
      return;
    }
    const fields = HeldFields.borrow();
    fields.load(answer.fields);
    fields.add("set-cookie", setCookie);
    this.#stream.head(
      { status: answer.status, fields, contentLength: answer.contentLength },
      following,
    );
    fields.release();
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

  /**
   * When nothing was done about it, as long as all of the body is still here; and once more, if it has none, when a
   * connection that had stood idle turned out to be dead.
   */
  #mayRepeat(why: Abort, client: ClientStream | undefined): boolean {
    if (this.#repeated) return false;
    if (why.cause === "reset" && why.done === "nothing") return this.#body?.hasBegun !== true;
    // Before its answer nothing goes out behind a request for a switch.
    const hasBody = this.#following === "more" && this.#outgoing.upgrade === undefined;
    if (hasBody) return false;
    if (why.cause !== "closed" || client?.isReused !== true) return false;
    return IDEMPOTENT.has(this.#exchange.method);
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
      responseHeaders: this.#answerFields,
      upstreamServiceMs: this.#serviceMs,
    };
  }
}

/** The same exchange as the callee's connection knows it. */
class AnswerSide implements AnswerSink {
  readonly #forwarding: Forwarding;
  readonly #stream: ServerStream;
  #client: ClientStream | undefined;
  /** Of the body, as they came. */
  octets = 0;
  /** Only once the client has not taken all at once: most answers need none. */
  #body: BodyPipe | undefined;

  constructor(forwarding: Forwarding, stream: ServerStream) {
    this.#forwarding = forwarding;
    this.#stream = stream;
  }

  /** Of the connection that it was sent by last. */
  get ends(): ClientStream["ends"] | undefined {
    return this.#client?.ends;
  }

  setSender(client: ClientStream): void {
    this.#client = client;
  }

  failed(error: UpstreamConnectError): void {
    this.#forwarding.failed(error);
  }

  sent(client: ClientStream): void {
    this.#forwarding.sent(client);
  }

  interim({ status, fields }: ReceivedAnswer): void {
    this.#stream.interim(status, fields);
  }

  head(answer: ReceivedAnswer, following: Following): void {
    this.#forwarding.answered(answer, following);
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    if (following === "last") this.#forwarding.answerComplete();
    this.octets += to - from;
    if (this.#body !== undefined) {
      this.#body.data(bytes, from, to, following);
      return;
    }
    const taken = this.#stream.data(bytes, from, to, following);
    if (from + taken < to) this.#hold().data(bytes, from + taken, to, following);
    if (taken > 0) this.#client?.consumed(taken);
  }

  trailers(fields: ReceivedFields): void {
    this.#forwarding.answerComplete();
    if (this.#body !== undefined) this.#body.trailers(fields);
    else this.#stream.trailers(fields);
  }

  aborted(why: Abort): void {
    this.#forwarding.lost(why);
  }

  /** The callee takes more of the request. */
  writable(): void {
    this.#forwarding.calleeWritable();
  }

  /** The client takes more of the answer. */
  clientWritable(): void {
    this.#body?.writable();
  }

  close(): void {
    this.#body?.close();
  }

  #hold(): BodyPipe {
    this.#body = new BodyPipe(this.#client, this.#forwarding);
    this.#body.setReceiver(this.#stream);
    return this.#body;
  }
}

function outgoingRequest(exchange: Exchange, { scheme }: Route): OutgoingRequest {
  const { method, path, authority, headers, contentLength } = exchange;
  const upgrade = exchange.upgrade === "websocket" ? "websocket" : undefined;
  return { method, path, authority, scheme, fields: headers, contentLength, upgrade };
}
