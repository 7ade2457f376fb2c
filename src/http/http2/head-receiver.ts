/** HEADERS with their CONTINUATIONs, up to the head or trailers that the owner gets (RFC 9113 sections 6.2, 6.10 and 8). */
import { METHOD } from "../methods.ts";
import { BlockAssembly } from "./block-assembly.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { ERROR_CODE } from "./error-code.ts";
import { FLAG, readUint31 } from "./frame.ts";
import type { FrameReader } from "./frame-reader.ts";
import { FieldBlock } from "./hpack/field-block.ts";
import { HpackDecoder } from "./hpack/hpack-decoder.ts";
import { MAX_INFORMATIONAL, MAX_STREAMS, STREAM_WINDOW } from "./limits.ts";
import { type HeadKind, ReceivedHead } from "./received-head.ts";
import type { Sender } from "./sender.ts";
import { Http2Stream } from "./stream.ts";

const PRIORITY_OCTETS = 5;
/** One for all connections: a head is only looked at while it is reported. */
const SHARED: ReceivedHead = new ReceivedHead();
let isSharedInUse = false;

interface Range {
  readonly from: number;
  readonly to: number;
}

interface Fault {
  readonly code: number;
  readonly problem: string;
}

/** Where a block is to go: what was found out before it was decoded. */
interface Destination<Context> {
  readonly kind: HeadKind;
  readonly stream: Http2Stream<Context> | undefined;
}

export class HeadReceiver<Context> {
  readonly #core: ConnectionCore<Context>;
  readonly #sender: Sender<Context>;
  readonly #decoder: HpackDecoder = new HpackDecoder();
  readonly #assembly: BlockAssembly = new BlockAssembly();
  #isEnd = false;
  /** Requests that came after our GOAWAY. */
  #late = 0;

  constructor(core: ConnectionCore<Context>, sender: Sender<Context>) {
    this.#core = core;
    this.#sender = sender;
  }

  /** The stream whose next frame must be a CONTINUATION; 0 when there is none. */
  get openId(): number {
    return this.#assembly.id;
  }

  /** Octets of memory. */
  get held(): number {
    return this.#decoder.held + this.#assembly.held;
  }

  headers(reader: FrameReader, bytes: Buffer, range: Range): void {
    const fault = this.#faultOf(reader, bytes, range);
    if (fault !== undefined) {
      this.#core.fail(fault.code, fault.problem);
      return;
    }
    const { id, flags } = reader;
    const isPadded = (flags & FLAG.PADDED) !== 0;
    const hasPriority = (flags & FLAG.PRIORITY) !== 0;
    const from = range.from + (isPadded ? 1 : 0) + (hasPriority ? PRIORITY_OCTETS : 0);
    const to = range.to - (isPadded ? (bytes[range.from] ?? 0) : 0);
    this.#isEnd = (flags & FLAG.END_STREAM) !== 0;
    if ((flags & FLAG.END_HEADERS) !== 0) this.#finish(id, bytes, { from, to });
    else {
      this.#assembly.begin(id);
      this.#append(bytes, from, to);
    }
  }

  #faultOf({ id, flags }: FrameReader, bytes: Buffer, { from, to }: Range): Fault | undefined {
    const isPadded = (flags & FLAG.PADDED) !== 0;
    const hasPriority = (flags & FLAG.PRIORITY) !== 0;
    const fixed = (isPadded ? 1 : 0) + (hasPriority ? PRIORITY_OCTETS : 0);
    if (to - from < fixed)
      return { code: ERROR_CODE.FRAME_SIZE_ERROR, problem: "HEADERS cut short" };
    const code = ERROR_CODE.PROTOCOL_ERROR;
    if (isPadded && (bytes[from] ?? 0) > to - from - fixed) {
      return { code, problem: "padding longer than its frame" };
    }
    const dependency = from + (isPadded ? 1 : 0);
    return hasPriority && readUint31(bytes, dependency) === id
      ? { code, problem: "a stream that depends on itself" }
      : undefined;
  }

  continuation({ flags }: FrameReader, bytes: Buffer, { from, to }: Range): void {
    this.#append(bytes, from, to);
    if ((flags & FLAG.END_HEADERS) === 0 || this.#core.isOver) return;
    const { id, bytes: whole, length } = this.#assembly;
    this.#assembly.end();
    this.#finish(id, whole, { from: 0, to: length });
  }

  #append(bytes: Buffer, from: number, to: number): void {
    const problem = this.#assembly.append(bytes, from, to);
    if (problem !== "") this.#core.fail(ERROR_CODE.ENHANCE_YOUR_CALM, problem);
  }

  #finish(id: number, bytes: Buffer, range: Range): void {
    const destination = this.#destinationOf(id);
    if (destination === undefined) return;
    const isNested = isSharedInUse;
    const head = isNested ? new ReceivedHead() : SHARED;
    isSharedInUse = true;
    try {
      head.begin(destination.kind);
      head.arena.load(bytes, range.from, range.to);
      const problem = this.#decoder.decode(head);
      this.#core.headsLeft -= head.size;
      if (problem !== "") {
        this.#core.fail(ERROR_CODE.COMPRESSION_ERROR, problem);
        return;
      }
      head.finish();
      this.#take(id, destination, head);
    } finally {
      isSharedInUse = isNested;
    }
  }

  /** Undefined when the connection has failed for it. */
  #destinationOf(id: number): Destination<Context> | undefined {
    const core = this.#core;
    const stream = core.streams.get(id);
    if (stream !== undefined) {
      const isResponse = core.role === "client" && stream.receiving === "head";
      return { kind: isResponse ? "response" : "trailers", stream };
    }
    const absence = core.streams.absence(id);
    const isNew =
      absence === "idle" && core.role === "server" && !core.streams.isOurs(id) && id > 0;
    if (isNew) return { kind: "request", stream };
    if (absence === "reset by us") return { kind: "trailers", stream };
    const isClosed = absence === "closed" && id > 0;
    core.fail(
      isClosed ? ERROR_CODE.STREAM_CLOSED : ERROR_CODE.PROTOCOL_ERROR,
      isClosed ? "HEADERS on a closed stream" : "HEADERS on a stream that the peer may not open",
    );
    return undefined;
  }

  #take(id: number, { kind, stream }: Destination<Context>, head: ReceivedHead): void {
    this.#core.control.earn(2);
    if (kind === "request") this.#takeRequest(id, head);
    else if (stream === undefined) return;
    else if (stream.receiving === "over") {
      this.#core.failStream(id, ERROR_CODE.STREAM_CLOSED, "HEADERS after the end");
    } else if (head.problem !== "")
      this.#core.failStream(id, ERROR_CODE.PROTOCOL_ERROR, head.problem);
    else if (head.isTooLarge)
      this.#core.failStream(id, ERROR_CODE.ENHANCE_YOUR_CALM, "too many fields, or too large");
    else if (kind === "response") this.#takeResponse(stream, head);
    else this.#takeTrailers(stream, head);
  }

  #takeRequest(id: number, head: ReceivedHead): void {
    const core = this.#core;
    core.streams.noteOpened(id);
    if (id > core.lastServed) {
      this.#refuseLate(id);
      return;
    }
    if (core.streams.size >= MAX_STREAMS) {
      core.failStream(id, ERROR_CODE.REFUSED_STREAM, "more streams than we allow");
      return;
    }
    if (head.problem !== "") {
      core.failStream(id, ERROR_CODE.PROTOCOL_ERROR, head.problem);
      return;
    }
    if (head.isTooLarge) {
      this.#refuseTooLarge(id);
      return;
    }
    const contentLeft = requestContent(head);
    if (contentLeft > 0 && this.#isEnd) {
      core.failStream(id, ERROR_CODE.PROTOCOL_ERROR, "content-length without content");
      return;
    }
    const stream = new Http2Stream<Context>(id, {
      send: core.peer.initialWindowSize,
      receive: STREAM_WINDOW,
    });
    stream.contentLeft = contentLeft;
    if (!core.takeHead(stream, head.size)) {
      core.failStream(id, ERROR_CODE.REFUSED_STREAM, "heads of more octets than we hold");
      return;
    }
    core.streams.add(stream);
    this.#report(stream, head);
  }

  /** It was on its way when we said that we end: no fault, as long as it can be so. */
  #refuseLate(id: number): void {
    const core = this.#core;
    core.writeReset(id, ERROR_CODE.REFUSED_STREAM);
    this.#late++;
    if (this.#late > MAX_STREAMS) {
      core.fail(ERROR_CODE.ENHANCE_YOUR_CALM, "streams without end after GOAWAY");
    }
  }

  /** As of a server that never sees the request: it cannot be judged by fields that are not all known. */
  #refuseTooLarge(id: number): void {
    const core = this.#core;
    this.#sender.writeHead(id, TOO_LARGE, "last");
    if (!this.#isEnd) core.writeReset(id, ERROR_CODE.NO_ERROR);
    core.events.violation({
      streamId: id,
      code: ERROR_CODE.NO_ERROR,
      problem: "too many fields, or too large",
    });
  }

  #takeResponse(stream: Http2Stream<Context>, head: ReceivedHead): void {
    const core = this.#core;
    if (head.status < 200) {
      this.#takeInformational(stream, head);
      return;
    }
    stream.contentLeft = responseContent(stream, head);
    if (stream.contentLeft > 0 && this.#isEnd) {
      core.failStream(stream.id, ERROR_CODE.PROTOCOL_ERROR, "content-length without content");
      return;
    }
    this.#report(stream, head);
  }

  #takeInformational(stream: Http2Stream<Context>, head: ReceivedHead): void {
    const core = this.#core;
    stream.informational++;
    if (this.#isEnd)
      core.failStream(stream.id, ERROR_CODE.PROTOCOL_ERROR, "a response that ends with status 1xx");
    else if (stream.informational > MAX_INFORMATIONAL) {
      core.failStream(stream.id, ERROR_CODE.ENHANCE_YOUR_CALM, "too many heads of status 1xx");
    } else core.events.head(stream, head, "more");
  }

  #report(stream: Http2Stream<Context>, head: ReceivedHead): void {
    stream.receiving = this.#isEnd ? "over" : "body";
    this.#core.events.head(stream, head, this.#isEnd ? "last" : "more");
    this.#core.closeIfOver(stream);
  }

  #takeTrailers(stream: Http2Stream<Context>, head: ReceivedHead): void {
    const core = this.#core;
    if (!this.#isEnd)
      core.failStream(stream.id, ERROR_CODE.PROTOCOL_ERROR, "HEADERS in the midst of a body");
    else if (stream.contentLeft > 0) {
      core.failStream(stream.id, ERROR_CODE.PROTOCOL_ERROR, "less DATA than content-length");
    } else if (!core.takeHead(stream, head.size)) {
      core.failStream(stream.id, ERROR_CODE.ENHANCE_YOUR_CALM, "heads of more octets than we hold");
    } else {
      stream.receiving = "over";
      core.events.trailers(stream, head);
      core.closeIfOver(stream);
    }
  }
}

const TOO_LARGE: FieldBlock = new FieldBlock();
TOO_LARGE.response(431);
TOO_LARGE.add("content-length", "0");

/** Octets of content that a request announces; -1: any number. */
function requestContent({ methodId, contentLength }: ReceivedHead): number {
  if (methodId === METHOD.CONNECT) return -1;
  return methodId === METHOD.TRACE ? 0 : contentLength;
}

/** RFC 9110 section 6.4.1: what has no content says nothing of it by its length. */
function responseContent(
  { method }: { readonly method: string },
  { status, contentLength }: ReceivedHead,
): number {
  if (method === "HEAD" || status === 204 || status === 304) return 0;
  return method === "CONNECT" && status < 300 ? -1 : contentLength;
}
