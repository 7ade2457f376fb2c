/** Cuts what comes into frames. Only a frame that is not whole yet is kept, and of DATA nothing but its nine octets. */
import { ERROR_CODE } from "./error-code.ts";
import { FRAME, FRAME_HEADER, PREFACE, readUint31 } from "./frame.ts";
import { MAX_FRAME_SIZE } from "./limits.ts";

/** What takes the frames; it reads `type`, `flags`, `id` and `length` from the reader. */
export interface FrameSink {
  /** Nothing more is to be read. */
  readonly isOver: boolean;
  /** Others are to have their turn before more is read. */
  readonly isSated: boolean;
  fail(code: number, problem: string): void;
  /** Called before the payload has come: to refuse a frame that need not be waited for. */
  announce(): void;
  /** A whole payload; not of DATA, nor of a type that is not known. */
  frame(bytes: Buffer, from: number, to: number): void;
  /** DATA begins; if it has a payload, `dataOctets` brings that in pieces. */
  beginData(): void;
  dataOctets(bytes: Buffer, from: number, to: number): void;
  unknownFrame(): void;
}

type Mode = "header" | "payload" | "data" | "skipped";

export class FrameReader {
  type = 0;
  flags = 0;
  id = 0;
  length = 0;
  readonly #sink: FrameSink;
  #prefaceLeft: number;
  #mode: Mode = "header";
  /** Of the frame: octets of the payload that are still to come. */
  #left = 0;
  /** A header, or a payload, that has come in part. */
  #part: Buffer | undefined;
  #filled = 0;

  /** @param expects "preface" of a server, which the client's preface must reach first */
  constructor(sink: FrameSink, expects: "preface" | "frames") {
    this.#sink = sink;
    this.#prefaceLeft = expects === "preface" ? PREFACE.length : 0;
  }

  /** Octets of memory. */
  get held(): number {
    return this.#part?.length ?? 0;
  }

  /** @returns where it stopped: before `to` only when the sink is sated */
  receive(bytes: Buffer, from: number, to: number): number {
    let at = this.#prefaceLeft > 0 ? this.#matchPreface(bytes, from, to) : from;
    while (at < to && !this.#sink.isOver) {
      if (this.#sink.isSated) return at;
      if (this.#mode === "header") at = this.#readHeader(bytes, at, to);
      else if (this.#mode === "payload") at = this.#readPayload(bytes, at, to);
      else at = this.#passOn(bytes, at, to);
    }
    return to;
  }

  #matchPreface(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to && this.#prefaceLeft > 0) {
      if (bytes[at] !== PREFACE[PREFACE.length - this.#prefaceLeft]) {
        this.#sink.fail(ERROR_CODE.PROTOCOL_ERROR, "not the connection preface of HTTP/2");
        return to;
      }
      at++;
      this.#prefaceLeft--;
    }
    return at;
  }

  #readHeader(bytes: Buffer, from: number, to: number): number {
    if (this.#part === undefined && to - from >= FRAME_HEADER) {
      this.#begin(bytes, from);
      return from + FRAME_HEADER;
    }
    this.#part ??= Buffer.allocUnsafe(FRAME_HEADER);
    const part = this.#part;
    const length = this.#keep(part, bytes, { from, to });
    if (this.#filled === FRAME_HEADER) {
      this.#release();
      this.#begin(part, 0);
    }
    return from + length;
  }

  #begin(bytes: Buffer, at: number): void {
    this.length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    this.type = bytes[at + 3] ?? 0;
    this.flags = bytes[at + 4] ?? 0;
    this.id = readUint31(bytes, at + 5);
    this.#left = this.length;
    const sink = this.#sink;
    if (this.length > MAX_FRAME_SIZE) {
      sink.fail(ERROR_CODE.FRAME_SIZE_ERROR, "a frame larger than we take");
      return;
    }
    sink.announce();
    if (sink.isOver) return;
    if (this.type === FRAME.DATA) sink.beginData();
    else if (this.type > FRAME.CONTINUATION) sink.unknownFrame();
    else if (this.length === 0) sink.frame(bytes, at, at);
    this.#mode = this.length === 0 ? "header" : modeOf(this.type);
  }

  #readPayload(bytes: Buffer, from: number, to: number): number {
    const { length } = this;
    if (this.#part === undefined && to - from >= length) {
      this.#mode = "header";
      this.#sink.frame(bytes, from, from + length);
      return from + length;
    }
    this.#part ??= Buffer.allocUnsafe(length);
    const part = this.#part;
    const taken = this.#keep(part, bytes, { from, to });
    if (this.#filled === length) {
      this.#release();
      this.#mode = "header";
      this.#sink.frame(part, 0, length);
    }
    return from + taken;
  }

  #passOn(bytes: Buffer, from: number, to: number): number {
    const end = Math.min(to, from + this.#left);
    this.#left -= end - from;
    const isData = this.#mode === "data";
    if (this.#left === 0) this.#mode = "header";
    if (isData) this.#sink.dataOctets(bytes, from, end);
    return end;
  }

  #keep(
    part: Buffer,
    bytes: Buffer,
    { from, to }: { readonly from: number; readonly to: number },
  ): number {
    const length = Math.min(to - from, part.length - this.#filled);
    bytes.copy(part, this.#filled, from, from + length);
    this.#filled += length;
    return length;
  }

  #release(): void {
    this.#part = undefined;
    this.#filled = 0;
  }
}

function modeOf(type: number): Mode {
  if (type === FRAME.DATA) return "data";
  return type > FRAME.CONTINUATION ? "skipped" : "payload";
}
