/**
 * One gRPC stream on a TLS connection of its own, with as little work as can be: a thousand of them share a core with the control
 * plane that is measured, and `node:http2` takes more of it than the control plane does.
 */
import { performance } from "node:perf_hooks";
import { connect, type SecureContext, type TLSSocket } from "node:tls";
import { FieldLookup } from "../../../src/http/field-lookup.ts";
import { Http2Connection } from "../../../src/http/http2/connection.ts";
import type { BodyPiece, Http2Events, Http2Violation } from "../../../src/http/http2/events.ts";
import { FieldBlock } from "../../../src/http/http2/hpack/field-block.ts";
import type { ReceivedHead } from "../../../src/http/http2/received-head.ts";
import type { Http2Stream } from "../../../src/http/http2/stream.ts";

const FRAME_HEAD = 5;

export interface StreamTarget {
  readonly port: number;
  readonly serverName: string;
  /** Made once for all. */
  readonly context: SecureContext;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface StreamEvents {
  /** @param size with the head of its frame, in bytes */
  message(bytes: Buffer, size: number): void;
  /** Called once. */
  ended(reason: string): void;
}

type Stream = Http2Stream<undefined>;

export class MessageStream implements Http2Events<undefined> {
  readonly #socket: TLSSocket;
  readonly #connection: Http2Connection<undefined>;
  readonly #events: StreamEvents;
  /** Whole frames, the first of them sent up to `#sent`. */
  readonly #outgoing: Buffer[] = [];
  #sent = 0;
  #stream: Stream | undefined;
  #isFlushWaiting = false;
  #isOver = false;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor({ port, serverName, context, path, headers }: StreamTarget, events: StreamEvents) {
    this.#events = events;
    this.#connection = new Http2Connection({ role: "client", now: () => performance.now() }, this);
    this.#socket = connect({
      host: "127.0.0.1",
      port,
      secureContext: context,
      servername: serverName,
      ALPNProtocols: ["h2"],
    });
    this.#socket.setNoDelay(true);
    this.#socket.on("secureConnect", () => {
      this.#connection.start();
      const head = requestHead({ serverName, path, headers });
      this.#stream = this.#connection.open(head, "more", undefined);
      this.#pump();
    });
    this.#socket.on("data", (bytes: Buffer) => {
      this.#connection.receive(bytes, 0, bytes.length);
    });
    this.#socket.on("error", (error) => this.#finish(error.message));
    this.#socket.on("close", () => this.#finish("the connection was closed"));
  }

  /** @param frame a message behind its head, as `messageFrame` makes it */
  send(frame: Buffer): void {
    this.#outgoing.push(frame);
    this.#pump();
  }

  close(): void {
    this.#socket.destroy();
  }

  #pump(): void {
    if (this.#stream === undefined) return;
    for (let [frame] = this.#outgoing; frame !== undefined; [frame] = this.#outgoing) {
      const piece = {
        bytes: frame,
        from: this.#sent,
        to: frame.length,
        following: "more",
      } as const;
      this.#sent += this.#connection.sendData(this.#stream, piece);
      if (this.#sent < frame.length) return;
      this.#outgoing.shift();
      this.#sent = 0;
    }
  }

  #finish(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.destroy();
    this.#events.ended(reason);
  }

  // What the connection says.

  data(stream: Stream, { bytes, from, to }: BodyPiece): void {
    this.#connection.consumed(stream, to - from);
    this.#chunks.push(bytes.subarray(from, to));
    this.#length += to - from;
    while (this.#length >= FRAME_HEAD && !this.#isOver) {
      const [first = Buffer.alloc(0)] = this.#chunks;
      const head = first.length >= FRAME_HEAD ? first : this.#joined();
      const size = FRAME_HEAD + head.readUInt32BE(1);
      if (this.#length < size) break;
      const all = this.#joined();
      this.#chunks = size < all.length ? [all.subarray(size)] : [];
      this.#length -= size;
      this.#events.message(all.subarray(FRAME_HEAD, size), size);
    }
    const last = this.#chunks.pop();
    if (last !== undefined) this.#chunks.push(Buffer.from(last)); // the piece is not ours
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    const all = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  head(_stream: Stream, head: ReceivedHead, following: "more" | "last"): void {
    if (following === "last") this.#finish(statusOf(head));
  }

  trailers(_stream: Stream, fields: ReceivedHead): void {
    this.#finish(statusOf(fields));
  }

  reset(_stream: Stream, code: number): void {
    this.#finish(`reset with ${code}`);
  }

  writable(): void {
    this.#pump();
  }

  flush(): void {
    if (this.#isFlushWaiting) return;
    this.#isFlushWaiting = true;
    // What has come to any of them is heard before one answers.
    setImmediate(() => {
      this.#isFlushWaiting = false;
      for (let batch = this.#connection.take(); batch; batch = this.#connection.take()) {
        this.#socket.write(Buffer.from(batch.view())); // a batch is far larger than what any of a thousand has to say
        batch.release();
      }
    });
  }

  failed({ problem }: Http2Violation): void {
    this.#finish(problem);
  }

  goaway(_last: number, code: number): void {
    this.#finish(`sent away with ${code}`);
  }

  settings(): void {}
  settingsAcknowledged(): void {}
  pong(): void {}
  drained(): void {}
  violation(): void {}
}

/** A message as gRPC frames it. */
export function messageFrame(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, FRAME_HEAD);
  return frame;
}

/** One for all: it is written out before the next is filled. */
const block: FieldBlock = new FieldBlock();

function requestHead({
  serverName,
  path,
  headers,
}: Pick<StreamTarget, "serverName" | "path" | "headers">): FieldBlock {
  block.request("POST", "https");
  block.path(path);
  block.authority(serverName);
  block.add("content-type", "application/grpc");
  block.add("te", "trailers");
  for (const [name, value] of Object.entries(headers)) block.add(name, value);
  return block;
}

const STATUS = new FieldLookup("grpc-status");
const MESSAGE = new FieldLookup("grpc-message");

/** `8 too many responses are not answered` */
function statusOf(fields: ReceivedHead): string {
  return `${STATUS.joinedValue(fields) ?? ""} ${MESSAGE.joinedValue(fields) ?? ""}`.trim();
}
