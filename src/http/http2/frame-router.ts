/** Each frame to whoever understands it, after what RFC 9113 says of the order of frames. */
import type { ConnectionCore } from "./connection-core.ts";
import { ControlReceiver } from "./control-receiver.ts";
import { DataReceiver } from "./data-receiver.ts";
import { ERROR_CODE } from "./error-code.ts";
import { FLAG, FRAME } from "./frame.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { HeadReceiver } from "./head-receiver.ts";
import { HEADS_AT_ONCE } from "./limits.ts";
import type { Sender } from "./sender.ts";

export class FrameRouter<Context> implements FrameSink {
  readonly control: ControlReceiver<Context>;
  readonly #core: ConnectionCore<Context>;
  readonly #reader: FrameReader;
  readonly #heads: HeadReceiver<Context>;
  readonly #bodies: DataReceiver<Context>;
  #hasSettings = false;
  /** Heads, and frames that are of none, that have begun. */
  #begun = 0;

  /** @param finishDrain called when the peer has answered `DRAIN_PING` */
  constructor(core: ConnectionCore<Context>, sender: Sender<Context>, finishDrain: () => void) {
    this.#core = core;
    this.#reader = new FrameReader(this, core.role === "server" ? "preface" : "frames");
    this.#heads = new HeadReceiver(core, sender);
    this.#bodies = new DataReceiver(core);
    this.control = new ControlReceiver(core, finishDrain);
  }

  get isOver(): boolean {
    return this.#core.isOver;
  }

  get isSated(): boolean {
    return this.#core.headsLeft <= 0;
  }

  /** Octets of memory. */
  get held(): number {
    return this.#reader.held + this.#heads.held;
  }

  /** See `Http2Connection.unfinished`. */
  get unfinished(): number {
    return this.#reader.held > 0 || this.#heads.openId > 0 ? this.#begun + 1 : 0;
  }

  /** @returns where it stopped */
  receive(bytes: Buffer, from: number, to: number): number {
    this.#core.headsLeft = HEADS_AT_ONCE;
    return this.#reader.receive(bytes, from, to);
  }

  fail(code: number, problem: string): void {
    this.#core.fail(code, problem);
  }

  announce(): void {
    if (this.#heads.openId === 0) this.#begun++;
    const problem = this.#sayDisorder();
    if (problem !== "") this.fail(ERROR_CODE.PROTOCOL_ERROR, problem);
    else this.control.check(this.#reader);
    this.#hasSettings = true;
  }

  frame(bytes: Buffer, from: number, to: number): void {
    const reader = this.#reader;
    const payload = { bytes, from, to };
    if (reader.type === FRAME.HEADERS) this.#heads.headers(reader, bytes, payload);
    else if (reader.type === FRAME.CONTINUATION) this.#heads.continuation(reader, bytes, payload);
    else if (reader.type === FRAME.WINDOW_UPDATE) this.control.windowUpdate(reader, payload);
    else if (reader.type === FRAME.RST_STREAM) this.control.reset(reader, payload);
    else if (reader.type === FRAME.SETTINGS) this.control.settings(reader, payload);
    else if (reader.type === FRAME.PING) this.control.ping(reader, payload);
    else if (reader.type === FRAME.GOAWAY) this.control.goaway(payload);
    else if (reader.type === FRAME.PRIORITY) this.control.priority(reader, payload);
  }

  beginData(): void {
    this.#bodies.begin(this.#reader);
  }

  dataOctets(bytes: Buffer, from: number, to: number): void {
    this.#bodies.octets(bytes, from, to);
  }

  unknownFrame(): void {
    this.#core.chargeControl(1);
  }

  /** @returns "" when the frame may stand here */
  #sayDisorder(): string {
    const { type, flags, id } = this.#reader;
    const { openId } = this.#heads;
    const isSettings = type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0;
    if (!this.#hasSettings && !isSettings) return "a first frame other than SETTINGS";
    if (type === FRAME.PUSH_PROMISE) return "PUSH_PROMISE, which we have not allowed";
    if (openId === 0) return type === FRAME.CONTINUATION ? "CONTINUATION without HEADERS" : "";
    const goesOn = type === FRAME.CONTINUATION && id === openId;
    return goesOn ? "" : "a frame in the midst of a head";
  }
}
