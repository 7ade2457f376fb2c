/**
 * Serves requests by what one side of the sidecar decides about them: each is judged, and then forwarded or answered, and
 * written down once it is over.
 */
import type { Socket } from "node:net";
import { describeError } from "../runtime/hauberk-error.ts";
import { type Answer, type Exchange, type Outcome, type Route, refusal } from "./exchange.ts";
import { answerInKind } from "./grpc-answer.ts";
import { Forwarding } from "./http/forwarding.ts";
import { HeldRequest } from "./http/held-request.ts";
import { prepaidStream } from "./http/prepaid-stream.ts";
import type { ReceivedRequest } from "./http/received-message.ts";
import type {
  ArrivedRequest,
  BrokenRequest,
  RequestHandler,
  RequestSink,
  ServerStream,
} from "./http/streams.ts";

/** What one side of the sidecar does with requests. `C` is what it knows of a connection, `E` of a request. */
export interface HttpService<C, E extends Exchange> {
  /** Decides, synchronously, what becomes of a request. */
  judge(request: ReceivedRequest, connection: C): Judged<E>;
  /** Of what is under way: as `ForwardingOptions.judgeAgain`. Absent: it stays as it was judged. */
  judgeAgain?(exchange: E): string | undefined;
  /** Hears of every exchange once, when it is over. @returns a promise where it reads the exchange until then */
  record(exchange: E, outcome: Outcome, connection: C): void | Promise<void>;
  /** Hears of bytes that are no request. */
  recordBroken(problem: BrokenRequest, connection: C): void;
  /** Whether the fields of answers are to be kept for `record`. */
  answerFields(): "kept" | "passed on";
}

/** What becomes of a request. */
export type RequestVerdict =
  | Answer
  /** The connection ends without a byte. */
  | "reset"
  | { readonly route: Route }
  /** Of a CONNECT: who takes the connection over, once the client was told that it is established. */
  | { readonly tunnel: (socket: Socket) => void };

export interface Judged<E extends Exchange> {
  readonly exchange: E;
  /** "later": something has to be found out first. */
  readonly verdict: RequestVerdict | { readonly later: Promise<RequestVerdict> };
  /** Whether the connection may serve further requests. */
  readonly afterwards: "keep" | "close";
}

export class HttpServiceHandler<C, E extends Exchange> implements RequestHandler<C> {
  readonly #service: HttpService<C, E>;

  constructor(service: HttpService<C, E>) {
    this.#service = service;
  }

  request(arrived: ArrivedRequest<C>): RequestSink {
    const { stream, request, connection } = arrived;
    const judged = this.#judge(request, connection);
    if (judged === undefined) return answered(stream, UNJUDGED);
    const { exchange, verdict, afterwards } = judged;
    if (afterwards === "close") stream.retireConnection();
    const record = (outcome: Outcome): void => {
      const recorded = this.#service.record(exchange, outcome, connection);
      if (recorded instanceof Promise) void recorded.then(() => exchange.headers.release());
      else exchange.headers.release();
    };
    if (typeof verdict === "string" || !("later" in verdict))
      return this.#serve(arrived, { exchange, verdict, record });
    return this.#hold(arrived, { exchange, later: verdict.later, record });
  }

  /** What is found out may come after the client has left: then nobody else may have the exchange's memory yet. */
  #hold(arrived: ArrivedRequest<C>, { exchange, later, record }: Undecided<E>): RequestSink {
    const { stream, connection, following } = arrived;
    const held = new HeldRequest({
      left: () => void this.#service.record(exchange, LEFT, connection),
      giveUp: () => stream.reset(),
      following,
      inviteBody: () => inviteBody(stream, exchange),
      consumed: (octets) => stream.consumed(octets),
    });
    exchange.onHold = held;
    const serve = (verdict: RequestVerdict): void =>
      held.serve(() => {
        const served = { stream: prepaidStream(stream, held.prepaid), following };
        return this.#serve(served, { exchange, verdict, record });
      });
    later
      .then((found) => {
        const { malformedStatus: status } = held;
        serve(status === undefined ? found : refusal(status, "the body is malformed"));
      })
      .catch((error: unknown) => {
        const { protocol } = exchange;
        const problem = { protocol, details: describeError(error), status: 500 };
        this.#service.recordBroken(problem, connection);
        if (held.isServed) stream.reset();
        else serve(UNJUDGED);
      });
    return held;
  }

  #serve(arrived: Served<C>, { exchange, verdict, record }: Decided<E>): RequestSink {
    const { stream } = arrived;
    if (verdict === "reset") {
      // In HTTP/2 that would end the one stream only.
      stream.retireConnection();
      stream.reset();
      return new Answered(stream, () => record(RESET));
    }
    if ("tunnel" in verdict) return this.#tunnel(arrived, { exchange, tunnel: verdict.tunnel });
    if (!("route" in verdict)) {
      const answer = answerInKind(verdict, exchange);
      const reply = new Answered(stream, () => record(outcomeOf(answer, exchange)));
      stream.answer(answer);
      return reply;
    }
    const { route } = verdict;
    const { following } = arrived;
    const answerFields = this.#service.answerFields();
    const forwarding = new Forwarding({
      stream,
      exchange,
      route,
      following,
      answerFields,
      record,
      judgeAgain: this.#service.judgeAgain && (() => this.#service.judgeAgain?.(exchange)),
    });
    forwarding.start();
    return forwarding;
  }

  broken(problem: BrokenRequest, connection: C): void {
    this.#service.recordBroken(problem, connection);
  }

  #tunnel({ stream }: Served<C>, { exchange, tunnel }: Tunnelled): RequestSink {
    const socket = stream.detach?.();
    exchange.headers.release();
    if (socket === undefined) {
      stream.answer(refusal(405, "CONNECT is served on HTTP/1 connections only"));
    } else {
      socket.write(ESTABLISHED);
      tunnel(socket);
    }
    return new Answered(stream, () => {});
  }

  /** A request that makes us fail must not let anybody through, nor end the process. */
  #judge(request: ReceivedRequest, connection: C): Judged<E> | undefined {
    try {
      return this.#service.judge(request, connection);
    } catch (error) {
      const { protocol } = request;
      this.#service.recordBroken(
        { protocol, details: describeError(error), status: 500 },
        connection,
      );
      return undefined;
    }
  }
}

/** What can be done with a request later, too. */
type Served<C> = Pick<ArrivedRequest<C>, "stream" | "following">;

interface Undecided<E extends Exchange> {
  readonly exchange: E;
  readonly later: Promise<RequestVerdict>;
  readonly record: (outcome: Outcome) => void;
}

interface Decided<E extends Exchange> {
  readonly exchange: E;
  readonly verdict: RequestVerdict;
  readonly record: (outcome: Outcome) => void;
}

interface Tunnelled {
  readonly exchange: Exchange;
  readonly tunnel: (socket: Socket) => void;
}

const UNJUDGED = refusal(500, "the request could not be judged");
const LEFT: Outcome = {
  status: null,
  flags: "DC",
  details: "downstream_remote_disconnect",
  bytesReceived: 0,
  bytesSent: 0,
};
const ESTABLISHED = "HTTP/1.1 200 Connection Established\r\n\r\n";
const RESET: Outcome = {
  status: null,
  flags: "NR",
  details: "filter_chain_not_found",
  bytesReceived: 0,
  bytesSent: 0,
};

/** Of a body that is wanted before the request is served. */
function inviteBody(stream: ServerStream, exchange: Exchange): void {
  if (exchange.expectation !== "continue") return;
  exchange.expectation = "none";
  stream.interim(100);
}

function outcomeOf({ status, flags, details, body }: Answer, { method }: Exchange): Outcome {
  const bytesSent = method === "HEAD" ? 0 : Buffer.byteLength(body);
  return { status, flags, details, bytesReceived: 0, bytesSent };
}

function answered(stream: ServerStream, answer: Answer): RequestSink {
  const reply = new Answered(stream, () => {});
  stream.answer(answer);
  return reply;
}

/** Of a request that has its answer from us: the stream itself reads over what is left of it. */
class Answered implements RequestSink {
  readonly #stream: ServerStream;
  readonly #record: () => void;

  constructor(stream: ServerStream, record: () => void) {
    this.#stream = stream;
    this.#record = record;
  }

  data(_bytes: Buffer, from: number, to: number): void {
    this.#stream.consumed(to - from);
  }

  trailers(): void {}
  aborted(): void {}
  writable(): void {}

  finished(): void {
    this.#record();
  }
}
