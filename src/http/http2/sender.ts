/** What goes out on streams: heads, bodies as far as windows allow, trailers (RFC 9113 sections 5.2 and 8.1). */
import type { ConnectionCore } from "./connection-core.ts";
import type { BodyPiece } from "./events.ts";
import { FLAG, FRAME, LARGEST } from "./frame.ts";
import type { FieldBlock } from "./hpack/field-block.ts";
import { MAX_FRAME_SIZE, OUTPUT_HIGH_WATER, STREAM_WINDOW } from "./limits.ts";
import { type Following, Http2Stream } from "./stream.ts";

/** The encoder uses no dynamic table, and says so before its first block, whatever the peer would allow. */
const NO_TABLE = Buffer.from([0x20]);

export class Sender<Context> {
  readonly #core: ConnectionCore<Context>;
  #isFirstBlock = true;

  constructor(core: ConnectionCore<Context>) {
    this.#core = core;
  }

  get mayOpen(): boolean {
    const { role, isOver, isClosing, streams, peer } = this.#core;
    if (role === "server" || isOver || isClosing) return false;
    return streams.size < peer.maxConcurrentStreams && streams.lastOfOurs < LARGEST - 1;
  }

  open(block: FieldBlock, following: Following, context: Context): Http2Stream<Context> {
    const { streams, peer } = this.#core;
    const id = streams.lastOfOurs + 2;
    const stream = new Http2Stream<Context>(id, {
      send: peer.initialWindowSize,
      receive: STREAM_WINDOW,
    });
    stream.context = context;
    stream.method = block.method;
    stream.sending = following === "last" ? "over" : "body";
    streams.lastOfOurs = id;
    streams.add(stream);
    this.writeHead(id, block, following);
    return stream;
  }

  sendHead(stream: Http2Stream<Context>, block: FieldBlock, following: Following): void {
    if (stream.isClosed) return;
    if (stream.sending !== "head" || block.status === 0)
      throw new Error("not the time for a response's head");
    if (block.status >= 200) stream.sending = following === "last" ? "over" : "body";
    this.writeHead(stream.id, block, block.status >= 200 ? following : "more");
    this.#core.closeIfOver(stream);
  }

  sendTrailers(stream: Http2Stream<Context>, block: FieldBlock): void {
    if (stream.isClosed) return;
    if (stream.sending !== "body") throw new Error("not the time for trailers");
    stream.sending = "over";
    this.#core.waiting.delete(stream);
    this.writeHead(stream.id, block, "last");
    this.#core.closeIfOver(stream);
  }

  sendData(stream: Http2Stream<Context>, { bytes, from, to, following }: BodyPiece): number {
    const core = this.#core;
    if (stream.isClosed) return to - from;
    if (stream.sending !== "body") throw new Error("not the time for a body");
    const room = OUTPUT_HIGH_WATER - core.output.pending;
    const length = Math.max(0, Math.min(to - from, stream.sendWindow, core.sendWindow, room));
    const isWhole = length === to - from;
    if (length > 0 || (isWhole && following === "last")) {
      this.#writeData(stream, bytes, {
        from,
        to: from + length,
        isEnd: isWhole && following === "last",
      });
    }
    if (!isWhole) core.waiting.add(stream);
    core.closeIfOver(stream);
    return length;
  }

  writeHead(id: number, block: FieldBlock, following: Following): void {
    const { output, isOver } = this.#core;
    if (isOver) return;
    const prefix = this.#isFirstBlock ? NO_TABLE.length : 0;
    const first = Math.min(block.length, MAX_FRAME_SIZE - prefix);
    let flags = following === "last" ? FLAG.END_STREAM : 0;
    if (first === block.length) flags |= FLAG.END_HEADERS;
    output.frameHeader(FRAME.HEADERS, flags, { length: prefix + first, id });
    output.append(NO_TABLE, 0, prefix);
    output.append(block.bytes, 0, first);
    this.#isFirstBlock = false;
    for (let at = first; at < block.length; ) {
      const end = Math.min(block.length, at + MAX_FRAME_SIZE);
      const ending = end === block.length ? FLAG.END_HEADERS : 0;
      output.frameHeader(FRAME.CONTINUATION, ending, { length: end - at, id });
      output.append(block.bytes, at, end);
      at = end;
    }
    this.#core.announceOutput();
  }

  #writeData(
    stream: Http2Stream<Context>,
    bytes: Buffer,
    { from, to, isEnd }: { readonly from: number; readonly to: number; readonly isEnd: boolean },
  ): void {
    const core = this.#core;
    let at = from;
    do {
      const end = Math.min(to, at + MAX_FRAME_SIZE);
      const flags = isEnd && end === to ? FLAG.END_STREAM : 0;
      core.output.frameHeader(FRAME.DATA, flags, { length: end - at, id: stream.id });
      core.output.append(bytes, at, end);
      core.control.earn(2);
      at = end;
    } while (at < to);
    stream.sendWindow -= to - from;
    core.sendWindow -= to - from;
    if (isEnd) stream.sending = "over";
    core.askFlush();
  }
}
