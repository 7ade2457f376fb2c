/** DATA as it comes, in pieces: flow control, padding, and a length that must be as announced (RFC 9113 section 6.1). */
import type { ConnectionCore } from "./connection-core.ts";
import { ERROR_CODE } from "./error-code.ts";
import type { BodyPiece } from "./events.ts";
import { FLAG } from "./frame.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { Following, Http2Stream } from "./stream.ts";

interface Piece extends BodyPiece {
  bytes: Buffer;
  from: number;
  to: number;
  following: Following;
}

const NOTHING = Buffer.alloc(0);

export class DataReceiver<Context> {
  readonly #core: ConnectionCore<Context>;
  readonly #piece: Piece = { bytes: NOTHING, from: 0, to: 0, following: "more" };
  /** Of the frame at hand; undefined when its octets only count. */
  #stream: Http2Stream<Context> | undefined;
  #isLastFrame = false;
  #awaitsPadLength = false;
  #length = 0;
  #dataLeft = 0;
  #paddingLeft = 0;

  constructor(core: ConnectionCore<Context>) {
    this.#core = core;
  }

  begin({ id, flags, length }: FrameReader): void {
    const core = this.#core;
    if (id === 0) {
      core.fail(ERROR_CODE.PROTOCOL_ERROR, "DATA on stream 0");
      return;
    }
    if (length > core.receiveWindow) {
      core.fail(ERROR_CODE.FLOW_CONTROL_ERROR, "more DATA than the connection's window");
      return;
    }
    this.#length = length;
    this.#isLastFrame = (flags & FLAG.END_STREAM) !== 0;
    this.#stream = this.#receiverOf(id, length);
    core.noteReceived(length, this.#stream === undefined ? 0 : length);
    this.#awaitsPadLength = (flags & FLAG.PADDED) !== 0;
    if (!this.#awaitsPadLength) this.#start(length, 0);
    else if (length === 0)
      core.fail(ERROR_CODE.FRAME_SIZE_ERROR, "padded DATA without a pad length");
  }

  octets(bytes: Buffer, from: number, to: number): void {
    let at = from;
    if (this.#awaitsPadLength) at = this.#readPadLength(bytes, from);
    const end = Math.min(to, at + this.#dataLeft);
    const padding = Math.min(to - end, this.#paddingLeft);
    this.#dataLeft -= end - at;
    this.#paddingLeft -= padding;
    const isEnd = this.#isLastFrame && this.#dataLeft === 0 && this.#paddingLeft === 0;
    if (end > at || (isEnd && to > from)) this.#deliver(bytes, at, end);
  }

  /** The open stream that takes DATA of this length; if there is none, that has been dealt with. */
  #receiverOf(id: number, length: number): Http2Stream<Context> | undefined {
    const core = this.#core;
    const stream = core.streams.get(id);
    if (stream === undefined) {
      const absence = core.streams.absence(id);
      if (absence === "idle") core.fail(ERROR_CODE.PROTOCOL_ERROR, "DATA on an idle stream");
      else if (absence !== "reset by us")
        core.fail(ERROR_CODE.STREAM_CLOSED, "DATA on a closed stream");
      return undefined;
    }
    if (stream.receiving === "over")
      core.failStream(id, ERROR_CODE.STREAM_CLOSED, "DATA after the end");
    else if (stream.receiving === "head")
      core.failStream(id, ERROR_CODE.PROTOCOL_ERROR, "DATA before a head");
    else if (length > stream.receiveWindow) {
      core.failStream(id, ERROR_CODE.FLOW_CONTROL_ERROR, "more DATA than the stream's window");
    } else {
      stream.receiveWindow -= length;
      stream.unconsumed += length;
      return stream;
    }
    return undefined;
  }

  #readPadLength(bytes: Buffer, at: number): number {
    this.#awaitsPadLength = false;
    const padding = bytes[at] ?? 0;
    if (padding >= this.#length) {
      this.#core.fail(ERROR_CODE.PROTOCOL_ERROR, "padding longer than its frame");
      this.#stream = undefined;
      return at + 1;
    }
    if (this.#stream !== undefined) this.#core.consume(this.#stream, padding + 1);
    this.#start(this.#length - padding - 1, padding);
    return at + 1;
  }

  /** The length of the data is known: all of it is judged before any is given. */
  #start(dataLength: number, padding: number): void {
    this.#dataLeft = dataLength;
    this.#paddingLeft = padding;
    const stream = this.#stream;
    if (stream === undefined) return;
    const core = this.#core;
    if (dataLength > 0) core.control.earn(1);
    else if (!this.#isLastFrame) core.chargeControl(1);
    if (stream.contentLeft >= 0) {
      stream.contentLeft -= dataLength;
      if (stream.contentLeft < 0 || (this.#isLastFrame && stream.contentLeft > 0)) {
        this.#stream = undefined;
        core.failStream(stream.id, ERROR_CODE.PROTOCOL_ERROR, "DATA other than content-length");
        return;
      }
    }
    if (this.#isLastFrame && this.#length === 0) this.#deliver(NOTHING, 0, 0);
  }

  #deliver(bytes: Buffer, from: number, to: number): void {
    const stream = this.#stream;
    if (stream === undefined || stream.isClosed) return;
    const piece = this.#piece;
    piece.bytes = bytes;
    piece.from = from;
    piece.to = to;
    const isEnd = this.#isLastFrame && this.#dataLeft === 0 && this.#paddingLeft === 0;
    piece.following = isEnd ? "last" : "more";
    if (isEnd) {
      stream.receiving = "over";
      this.#stream = undefined;
    }
    this.#core.events.data(stream, piece);
    if (isEnd) this.#core.closeIfOver(stream);
  }
}
