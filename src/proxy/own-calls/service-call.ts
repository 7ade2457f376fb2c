/** One call of the sidecar's own, from its first try to the last octet of its answer. What it holds is bounded, and so is its time. */
import { outlierStatus } from "../balancing/outlier-status.ts";
import type { Attempts, Target } from "../exchange.ts";
import { HeldFields } from "../http/held-fields.ts";
import type { Abort, Following, ReceivedAnswer, ReceivedFields } from "../http/received-message.ts";
import type { AnswerSink, ClientStream, OutgoingRequest, Sending } from "../http/streams.ts";
import { UnsendableRequestError } from "../http/upstream-connections-member.ts";
import { WaitingOverflowError } from "../http/upstream-connections-waiting.ts";
import type { UpstreamConnectError } from "../upstream-dialer.ts";
import { type OwnAnswer, OwnCallError, type OwnCallProblem, type OwnRequest } from "./own-call.ts";

const NOTHING = Buffer.alloc(0);

export interface ServiceCallOptions {
  readonly request: OwnRequest;
  readonly attempts: Attempts<Target>;
  readonly resolve: (answer: OwnAnswer) => void;
  readonly reject: (error: OwnCallError) => void;
}

export class ServiceCall implements AnswerSink {
  readonly #options: ServiceCallOptions;
  readonly #outgoing: OutgoingRequest;
  readonly #timeout: NodeJS.Timeout;
  #target: Target | undefined;
  #sending: Sending | undefined;
  #client: ClientStream | undefined;
  #isWaiting = false;
  /** A limit of ours kept it from being sent, at first. */
  #waitedForOthers = false;
  #attempt = 0;
  #hasRepeated = false;
  /** Octets of the body that were taken. */
  #sent = 0;
  #status: number | undefined;
  #fields: HeldFields | undefined;
  /** Of the answer, its first `octets`: one piece, however many it came in. */
  #body: Buffer = NOTHING;
  #octets = 0;
  #isOver = false;

  constructor(options: ServiceCallOptions) {
    const { request } = options;
    this.#options = options;
    this.#outgoing = outgoingRequest(request);
    this.#timeout = setTimeout(() => this.#endInTime(), request.timeoutMs).unref();
  }

  /** To be called once. */
  start(): void {
    const target = this.#options.attempts.first();
    if (target === undefined) this.#fail("no-endpoint", "there is no endpoint");
    else this.#send(target);
  }

  cancel(): void {
    this.#fail("cancelled", "nobody waits for the answer any more");
  }

  // What connections say.

  failed(error: UpstreamConnectError): void {
    this.#isWaiting = false;
    this.#sending = undefined;
    const target = this.#target;
    if (this.#isOver || target === undefined) return;
    if (error instanceof WaitingOverflowError) {
      this.#fail("overflow", error.reason);
      return;
    }
    if (error instanceof UnsendableRequestError) {
      this.#fail("unsendable", error.reason);
      return;
    }
    const next = this.#options.attempts.after(target, error);
    // Somebody waits for the answer, and may be told otherwise: who was tried is not tried again.
    if (next === undefined || next.pauseMs > 0) this.#fail("connect-failed", error.reason);
    else this.#send(next.endpoint);
  }

  sent(client: ClientStream): void {
    this.#isWaiting = false;
    this.#noteWaiting();
    this.#sending = undefined;
    this.#options.attempts.sent();
    this.#client = client;
    this.#sent = 0;
    this.writable();
  }

  writable(): void {
    const { body = NOTHING } = this.#options.request;
    if (this.#sent < body.length)
      this.#sent += this.#client?.data(body, this.#sent, body.length, "last") ?? 0;
  }

  interim(): void {
    // Of no use to us.
  }

  head(answer: ReceivedAnswer, following: Following): void {
    this.#options.attempts.answered(outlierStatus(answer, this.#options.request.fields));
    this.#status = answer.status;
    this.#fields = heldCopy(answer.fields);
    if (following === "last") this.#finish();
    else if (answer.contentLength > this.#options.request.maxAnswerOctets) this.#refuseLength();
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    if (this.#octets + to - from > this.#options.request.maxAnswerOctets) {
      this.#refuseLength();
      return;
    }
    this.#keep(bytes, from, to);
    if (following === "last") this.#finish();
    else this.#client?.consumed(to - from);
  }

  trailers(fields: ReceivedFields): void {
    this.#finish(heldCopy(fields));
  }

  aborted(why: Abort): void {
    const client = this.#client;
    this.#client = undefined;
    if (this.#isOver) return;
    this.#options.attempts.lost(why.cause);
    if (!this.#mayRepeat(why, client) || this.#target === undefined) {
      this.#fail("broken-off", why.details);
      return;
    }
    this.#hasRepeated = true;
    this.#target.connections.dropIdle();
    this.#send(this.#target);
  }

  /** A server that is being restarted has closed the connections that stood idle. */
  #mayRepeat(why: Abort, client: ClientStream | undefined): boolean {
    if (this.#hasRepeated || this.#status !== undefined) return false;
    if (why.cause === "reset") return why.done === "nothing";
    const { repeat } = this.#options.request;
    return repeat === "harmless" && why.cause === "closed" && client?.isReused === true;
  }

  #send(target: Target): void {
    if (this.#isOver) return;
    this.#target = target;
    this.#isWaiting = true;
    const attempt = ++this.#attempt;
    const { body = NOTHING } = this.#options.request;
    const following = body.length > 0 ? "more" : "last";
    const sending = target.connections.send(this.#outgoing, following, this);
    // It may have been sent, or have failed and gone to another target, meanwhile.
    if (!this.#isWaiting || attempt !== this.#attempt) return;
    this.#sending = sending;
    if (this.#options.attempts.waits() === "overflow")
      this.#fail("overflow", "too many requests wait for a connection");
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    const octets = this.#octets + to - from;
    if (octets > this.#body.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(octets, 2 * this.#body.length));
      this.#body.copy(larger, 0, 0, this.#octets);
      this.#body = larger;
    }
    bytes.copy(this.#body, this.#octets, from, to);
    this.#octets = octets;
  }

  #finish(trailers?: HeldFields): void {
    const [status, fields] = [this.#status, this.#fields];
    if (this.#isOver || status === undefined || fields === undefined) return;
    const body = this.#body.subarray(0, this.#octets);
    this.#client = undefined;
    this.#end();
    this.#options.resolve({ status, fields, body, trailers });
  }

  /** The time that others take, who are before it in a queue of ours, says nothing of the service. */
  #endInTime(): void {
    const { timeoutMs } = this.#options.request;
    this.#noteWaiting();
    if (this.#waitedForOthers)
      this.#fail("overflow", `no answer within ${timeoutMs} ms, of which others took a part`);
    else this.#fail("timeout", `no answer within ${timeoutMs} ms`);
  }

  #noteWaiting(): void {
    if (this.#sending?.waitedForOthers?.() === true) this.#waitedForOthers = true;
  }

  #refuseLength(): void {
    const { maxAnswerOctets } = this.#options.request;
    this.#fail("answer-too-large", `the answer is longer than ${maxAnswerOctets} octets`);
  }

  #fail(problem: OwnCallProblem, details: string): void {
    if (this.#isOver) return;
    this.#end();
    this.#fields?.release();
    const status = this.#status;
    this.#options.reject(
      new OwnCallError(problem, details, status === undefined ? {} : { status }),
    );
  }

  /** What is still under way is given up. */
  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timeout);
    this.#sending?.cancel();
    const client = this.#client;
    this.#client = undefined;
    client?.reset();
    this.#options.attempts.done();
    this.#options.request.fields.release();
  }
}

function outgoingRequest({ method, path, authority, fields, body }: OwnRequest): OutgoingRequest {
  const contentLength = body?.length ?? -1;
  return { method, path, authority, scheme: "http", fields, contentLength };
}

function heldCopy(fields: ReceivedFields): HeldFields {
  const held = HeldFields.borrow();
  held.load(fields);
  return held;
}
