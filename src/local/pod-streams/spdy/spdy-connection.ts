/**
 * One connection of SPDY/3.1 on which the client opens streams, as kubectl does. Neither end counts windows: kubectl
 * does not; a stream that nobody reads makes the whole connection wait, once it holds a megabyte.
 */
import { once } from "node:events";
import { Duplex } from "node:stream";
import {
  dataFrame,
  goAwayFrame,
  pingFrame,
  RST_STATUS,
  readFrames,
  rstStreamFrame,
  type SpdyFrame,
  synReplyFrame,
} from "./frames.ts";
import { HeaderBlocks } from "./header-blocks.ts";

/** Two for each forwarded connection. */
const MAX_STREAMS = 256;
const HELD_BYTES = 1024 * 1024;
/** Of answers that the client does not take: it is not read until it does. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** A client that is made to wait is not heard to go: what is said to it fails then. */
const PULSE_MS = 10_000;
/** A server's own are even. Section 2.6.5 */
const PULSE_ID = 2;
const NOTHING = Buffer.alloc(0);

export class SpdyStream extends Duplex {
  /** With lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly #id: number;
  readonly #connection: SpdyConnection;
  #hasRoom: (() => void) | undefined;
  #isReset = false;

  constructor(
    connection: SpdyConnection,
    { id, headers }: { readonly id: number; readonly headers: ReadonlyMap<string, string> },
  ) {
    super({ readableHighWaterMark: HELD_BYTES, allowHalfOpen: true });
    this.#connection = connection;
    this.#id = id;
    this.headers = headers;
    this.on("error", () => {}); // a stream that was given up; its connection tells why
  }

  /** Something came for it; resolves when there is room for more. */
  async receive({ data, fin }: { readonly data: Buffer; readonly fin: boolean }): Promise<void> {
    if (this.destroyed || this.readableEnded) return;
    const isFull = data.length > 0 && !this.push(data);
    if (fin) this.push(null);
    else if (isFull)
      await new Promise<void>((resolve) => {
        this.#hasRoom = resolve;
      });
  }

  /** The client gave it up. */
  reset(): void {
    this.#isReset = true;
    this.destroy();
  }

  override _read(): void {
    this.#hasRoom?.();
    this.#hasRoom = undefined;
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#connection.send(dataFrame(this.#id, { data: chunk, fin: false }), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.send(dataFrame(this.#id, { data: NOTHING, fin: true }), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this._read();
    this.#connection.forget(this.#id);
    if (!this.#isReset && !(this.readableEnded && this.writableFinished))
      this.#connection.send(rstStreamFrame(this.#id, RST_STATUS.cancel));
    done(error);
  }
}

export interface SpdyConnectionOptions {
  readonly transport: Duplex;
  /** Hears of each stream that the client opens. */
  readonly onStream: (stream: SpdyStream) => void;
  /** Constant but for tests. */
  readonly pulseMs?: number;
}

export class SpdyConnection {
  readonly #options: SpdyConnectionOptions;
  readonly #headers: HeaderBlocks = new HeaderBlocks();
  readonly #streams: Map<number, SpdyStream> = new Map();
  #lastId = 0;

  constructor(options: SpdyConnectionOptions) {
    this.#options = options;
  }

  /**
   * Serves until the client is gone; then all streams are.
   *
   * @throws SpdyError
   */
  async serve(): Promise<void> {
    const { transport, pulseMs = PULSE_MS } = this.#options;
    const pulse = setInterval(() => this.#pulse(), pulseMs).unref();
    transport.once("close", () => this.#resetAll()); // also when a stream's reader is waited for
    try {
      for await (const frame of readFrames(transport)) {
        await this.#take(frame);
        await this.#taken();
      }
    } finally {
      clearInterval(pulse);
      this.#resetAll();
      this.#headers.close();
      transport.destroy();
    }
  }

  /** Takes no more streams, and ends once what was said has left. */
  async end(): Promise<void> {
    const { transport } = this.#options;
    if (transport.destroyed) return;
    await new Promise<void>((resolve) => {
      transport.once("close", resolve);
      transport.end(goAwayFrame(this.#lastId), () => resolve());
    });
  }

  send(frame: Buffer, done: (error?: Error | null) => void = () => {}): void {
    const { transport } = this.#options;
    if (transport.destroyed || transport.writableEnded) done(new Error("the client is gone"));
    else transport.write(frame, (error) => done(error));
  }

  #pulse(): void {
    if (this.#options.transport.writableLength < MAX_UNREAD_BYTES) this.send(pingFrame(PULSE_ID));
  }

  #resetAll(): void {
    for (const stream of this.#streams.values()) stream.reset();
  }

  /** Whoever takes no answers is not read on. */
  async #taken(): Promise<void> {
    const { transport } = this.#options;
    if (transport.destroyed || transport.writableLength < MAX_UNREAD_BYTES) return;
    const settled = new AbortController();
    const { signal } = settled;
    await Promise.race(
      ["drain", "close"].map((event) => once(transport, event, { signal }).catch(() => {})),
    );
    settled.abort();
  }

  forget(id: number): void {
    this.#streams.delete(id);
  }

  async #take(frame: SpdyFrame): Promise<void> {
    switch (frame.type) {
      case "data":
        return await this.#streams.get(frame.streamId)?.receive(frame);
      case "syn-stream":
        return await this.#open(frame);
      case "rst-stream":
        return this.#streams.get(frame.streamId)?.reset();
      case "ping":
        if (frame.id % 2 === 1) this.send(pingFrame(frame.id)); // others answer our own
        return;
      case "other":
        if (frame.headers !== undefined) await this.#headers.read(frame.headers);
        return;
      case "go-away":
        return;
    }
  }

  async #open({
    streamId: id,
    fin,
    headers: block,
  }: Extract<SpdyFrame, { type: "syn-stream" }>): Promise<void> {
    const headers = await this.#headers.read(block); // also of a refused one: the next block builds on it
    if (id % 2 === 0 || id <= this.#lastId) {
      this.send(rstStreamFrame(id, RST_STATUS.protocolError));
      return;
    }
    this.#lastId = id;
    if (this.#streams.size >= MAX_STREAMS) {
      this.send(rstStreamFrame(id, RST_STATUS.refusedStream));
      return;
    }
    const stream = new SpdyStream(this, { id, headers });
    this.#streams.set(id, stream);
    this.send(synReplyFrame(id, await this.#headers.writeEmpty()));
    if (fin) await stream.receive({ data: NOTHING, fin });
    this.#options.onStream(stream);
  }
}
