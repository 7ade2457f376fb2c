/**
 * An HTTP/2 connection without a socket (RFC 9113): bytes in by `receive`, callbacks out, verbs in, and bytes to write out
 * by `take`. It keeps no body: what windows do not let through stays with the owner.
 */
import { ConnectionCore } from "./connection-core.ts";
import { DRAIN_PING } from "./control-receiver.ts";
import { ERROR_CODE } from "./error-code.ts";
import type { BodyPiece, Http2Events, Role } from "./events.ts";
import { FRAME, LARGEST, PREFACE } from "./frame.ts";
import { FrameRouter } from "./frame-router.ts";
import type { FieldBlock } from "./hpack/field-block.ts";
import {
  CONNECTION_WINDOW,
  MAX_FIELD_LIST,
  MAX_STREAMS,
  OUTPUT_HIGH_WATER,
  STREAM_WINDOW,
} from "./limits.ts";
import type { Batch } from "./output-batches.ts";
import { type PeerSettings, SETTING, SETTING_SIZE } from "./peer-settings.ts";
import { Sender } from "./sender.ts";
import type { Following, Http2Stream } from "./stream.ts";

export interface Http2Options {
  readonly role: Role;
  /** Milliseconds; a coarse clock will do. */
  readonly now: () => number;
}

const OWN_PING = Buffer.from("hauberk?", "latin1");
const INITIAL_WINDOW = 65_535;

export class Http2Connection<Context> {
  readonly #core: ConnectionCore<Context>;
  readonly #sender: Sender<Context>;
  readonly #router: FrameRouter<Context>;

  constructor({ role, now }: Http2Options, events: Http2Events<Context>) {
    this.#core = new ConnectionCore(role, events, now);
    this.#sender = new Sender(this.#core);
    this.#router = new FrameRouter(this.#core, this.#sender, () => this.finishDrain());
  }

  /** Says what begins each connection. To be called once, before anything else; requests may follow at once. */
  start(): void {
    const { output, role } = this.#core;
    if (role === "client") output.append(PREFACE, 0, PREFACE.length);
    const settings = [
      ...SETTINGS,
      ...(role === "client" ? [[SETTING.ENABLE_PUSH, 0] as const] : []),
    ];
    output.frameHeader(FRAME.SETTINGS, 0, { length: SETTING_SIZE * settings.length, id: 0 });
    for (const [id, value] of settings) {
      output.uint16(id);
      output.uint32(value);
    }
    output.frameHeader(FRAME.WINDOW_UPDATE, 0, { length: 4, id: 0 });
    output.uint32(CONNECTION_WINDOW - INITIAL_WINDOW);
    this.#router.control.unacknowledged++;
    this.#core.askFlush();
  }

  /** Takes what came, from `from` to before `to`; the buffer is the caller's again when this returns. */
  receive(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to; ) at = this.receiveSome(bytes, at, to);
  }

  /**
   * As `receive`, but stops when heads of `HEADS_AT_ONCE` octets were decoded: give it the rest when others have had their
   * turn.
   *
   * @returns where it stopped
   */
  receiveSome(bytes: Buffer, from: number, to: number): number {
    return this.#router.receive(bytes, from, to);
  }

  /** The connection has failed, or was abandoned: what is left to take is all there is. */
  get isOver(): boolean {
    return this.#core.isOver;
  }

  get openStreams(): number {
    return this.#core.streams.size;
  }

  /** Octets of the heads and trailers of open streams, counted as `MAX_FIELD_LIST`. */
  get openHeads(): number {
    return this.#core.openHeads;
  }

  get peer(): PeerSettings {
    return this.#core.peer;
  }

  /** Whether our SETTINGS still wait to be acknowledged. */
  get awaitsAcknowledgement(): boolean {
    return this.#router.control.unacknowledged > 0;
  }

  /** Whether `open` can be called: a client, neither side ends, and the peer allows another stream. */
  get mayOpen(): boolean {
    return this.#sender.mayOpen;
  }

  /** Whether so much waits to be taken that no DATA is accepted. */
  get isCongested(): boolean {
    return this.#core.output.pending >= OUTPUT_HIGH_WATER;
  }

  /** Octets of output that wait to be taken. */
  get pendingOutput(): number {
    return this.#core.output.pending;
  }

  /** Octets of memory that grow with what the peer does, beside streams, which are few and small; see `limits.ts`. */
  get held(): number {
    return this.#router.held + this.#core.output.pending;
  }

  /**
   * Another number for each head, or frame without a head, of which only a part has come, and 0 when there is none: a peer
   * for which it stays the same takes too long. Of bodies nothing is kept, and they may take as long as they like.
   */
  get unfinished(): number {
    return this.#router.unfinished;
  }

  /**
   * Sends a request's head on a new stream.
   *
   * @throws Error when `mayOpen` is false
   */
  open(block: FieldBlock, following: Following, context: Context): Http2Stream<Context> {
    if (!this.mayOpen) throw new Error("no stream may be opened");
    return this.#sender.open(block, following, context);
  }

  /**
   * Sends a response's head; after one of status 1xx another must follow. As all verbs it does nothing on a stream that
   * is gone.
   *
   * @throws Error when the head was sent before
   */
  sendHead(stream: Http2Stream<Context>, block: FieldBlock, following: Following): void {
    this.#sender.sendHead(stream, block, following);
  }

  /**
   * Sends as much of a body as windows and output allow. When not all was taken, keep the rest, and send it when
   * `writable` is called. The end of a body may be sent by an empty piece.
   *
   * @returns how many octets were taken
   */
  sendData(stream: Http2Stream<Context>, piece: BodyPiece): number {
    return this.#sender.sendData(stream, piece);
  }

  /** Ends a body by trailers; all of the body must have been taken. */
  sendTrailers(stream: Http2Stream<Context>, block: FieldBlock): void {
    this.#sender.sendTrailers(stream, block);
  }

  /** The owner has passed on, or thrown away, so many octets of a body: the peer may send more. */
  consumed(stream: Http2Stream<Context>, octets: number): void {
    this.#core.consume(stream, octets);
  }

  /**
   * Ends a stream at once; what the owner still holds of its body needs no `consumed`. NO_ERROR, of a server that has
   * answered, says that the rest of the request is not needed.
   *
   * @param code see `ERROR_CODE`
   */
  reset(stream: Http2Stream<Context>, code: number): void {
    if (stream.isClosed) return;
    this.#core.writeReset(stream.id, code);
    this.#core.drop(stream);
  }

  /** Asks the peer for a sign of life: `pong`. */
  ping(): void {
    this.#writePing(OWN_PING);
  }

  /**
   * Begins a graceful end: open streams go on, and `drained` follows. A server first only says that it ends, and takes
   * what is on its way until the peer has answered (RFC 9113 section 6.8); `finishDrain` ends that wait.
   */
  drain(): void {
    const core = this.#core;
    if (core.isOver || core.isClosing) return;
    if (core.role === "client") {
      this.finishDrain();
      return;
    }
    core.writeGoaway(LARGEST, ERROR_CODE.NO_ERROR);
    this.#writePing(DRAIN_PING);
  }

  /** From now on no stream is taken that is not open. */
  finishDrain(): void {
    const core = this.#core;
    if (core.isOver || core.lastServed !== LARGEST) return;
    core.lastServed = core.streams.lastOfPeer;
    core.isClosing = true;
    core.writeGoaway(core.lastServed, ERROR_CODE.NO_ERROR);
    core.checkDrained();
  }

  /** Ends the connection for a reason of the owner's, such as SETTINGS_TIMEOUT; see `Http2Events.failed`. */
  fail(code: number, problem: string): void {
    this.#core.fail(code, problem);
  }

  /** The socket is gone: all streams are reset, and what was to be written is given up. */
  abandon(): void {
    const core = this.#core;
    core.isOver = true;
    core.abandonStreams(ERROR_CODE.CANCEL);
    core.output.clear();
  }

  /**
   * What is to be written next; release it when that is done. Take until there is nothing more, or the socket wants a
   * pause: then go on when it has drained.
   */
  take(): Batch | undefined {
    const batch = this.#core.output.take();
    if (batch === undefined) this.#core.noteFlushed();
    return batch;
  }

  #writePing(payload: Buffer): void {
    const core = this.#core;
    if (core.isOver) return;
    core.output.frameHeader(FRAME.PING, 0, { length: payload.length, id: 0 });
    core.output.append(payload, 0, payload.length);
    core.askFlush();
  }
}

const SETTINGS = [
  [SETTING.MAX_CONCURRENT_STREAMS, MAX_STREAMS],
  [SETTING.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
  [SETTING.MAX_HEADER_LIST_SIZE, MAX_FIELD_LIST],
] as const;
