/**
 * The body of a message, as a state machine over the bytes that come behind its head. It copies nothing but trailers: it
 * says how many bytes belong to the message, and which of them are payload.
 */
import { CR, LF } from "../byte-classes.ts";
import { ChunkLine } from "./chunk-line.ts";
import { INCOMPLETE, REFUSED } from "./field-section.ts";
import { FRAMING } from "./framing.ts";
import { type Http1Problem, PROBLEM } from "./problem.ts";
import { Trailers } from "./trailers.ts";

const STATE = {
  over: 0,
  payload: 1,
  untilClose: 2,
  chunkLine: 3,
  chunkPayload: 4,
  chunkCarriageReturn: 5,
  chunkLineFeed: 6,
  lastLine: 7,
  trailers: 8,
  lastLineFeed: 9,
} as const;

interface Place {
  readonly byte: number | undefined;
  readonly at: number;
}

export class MessageBody {
  /** Of the run that the last `step` passed; none if they are the same. */
  payloadStart = 0;
  payloadEnd = 0;
  /** Of this message, so far. */
  payloadBytes = 0;
  /** Says why `REFUSED` was returned. Nothing that follows on the connection can be read. */
  problem: Http1Problem = PROBLEM.none;
  #state: number = STATE.over;
  /** Of the body, or of the chunk. */
  #left = 0;
  #line: ChunkLine | undefined;
  #trailers: Trailers | undefined;
  #hasTrailers = false;

  /**
   * @param framing one of `FRAMING`; after "switched" every byte belongs to the message, as with "untilClose"
   * @param length of the body, in bytes, where the framing is "length"
   */
  begin(framing: number, length: number): void {
    this.payloadBytes = 0;
    this.payloadStart = this.payloadEnd = 0;
    this.#hasTrailers = false;
    this.#left = framing === FRAMING.length ? length : 0;
    this.#state = STATE.untilClose;
    if (framing === FRAMING.none) this.#state = STATE.over;
    else if (framing === FRAMING.length) this.#state = length > 0 ? STATE.payload : STATE.over;
    else if (framing === FRAMING.chunked) {
      this.#state = STATE.chunkLine;
      this.#line ??= new ChunkLine();
      this.#line.beginMessage();
    }
  }

  /** Whether the message is complete: the next byte is the next message's. */
  get isOver(): boolean {
    return this.#state === STATE.over;
  }

  /** Of a chunked body that is over and had some; undefined if there were none. Valid until the next `begin`. */
  get trailers(): Trailers | undefined {
    return this.isOver && this.#hasTrailers ? this.#trailers : undefined;
  }

  /**
   * Goes on to the end of the next run of payload, for who frames it anew: see `payloadStart`, `payloadEnd`.
   *
   * @returns the offset to go on from, `to` at most; or `REFUSED`: then the message must not be completed
   */
  step(bytes: Uint8Array, from: number, to: number): number {
    this.payloadStart = this.payloadEnd = from;
    let at = from;
    while (at < to) {
      switch (this.#state) {
        case STATE.over:
          return at;
        case STATE.payload:
        case STATE.untilClose:
        case STATE.chunkPayload:
          return this.#takePayload(at, to);
        case STATE.chunkLine:
          at = this.#readLine(bytes, at, to);
          break;
        case STATE.lastLine:
          at = this.#beginLastLine(bytes[at], at);
          break;
        case STATE.trailers:
          at = this.#readTrailers(bytes, at, to);
          break;
        case STATE.chunkCarriageReturn:
          at = this.#expect(CR, STATE.chunkLineFeed, { byte: bytes[at], at });
          break;
        case STATE.chunkLineFeed:
          at = this.#expect(LF, STATE.chunkLine, { byte: bytes[at], at });
          break;
        default:
          at = this.#expect(LF, STATE.over, { byte: bytes[at], at });
      }
      if (at < 0) return REFUSED;
    }
    return at;
  }

  /** The connection ended here. @returns whether the message is complete; if not, see `problem` (RFC 9112 section 8) */
  end(): boolean {
    if (this.#state === STATE.untilClose) this.#state = STATE.over;
    if (this.#state === STATE.over) return true;
    this.problem = PROBLEM.cutShort;
    return false;
  }

  #takePayload(from: number, to: number): number {
    const isBounded = this.#state !== STATE.untilClose;
    const length = isBounded ? Math.min(this.#left, to - from) : to - from;
    this.payloadStart = from;
    this.payloadEnd = from + length;
    this.payloadBytes += length;
    if (!isBounded) return to;
    this.#left -= length;
    if (this.#left === 0) {
      this.#state = this.#state === STATE.payload ? STATE.over : STATE.chunkCarriageReturn;
    }
    return this.payloadEnd;
  }

  #readLine(bytes: Uint8Array, from: number, to: number): number {
    const line = this.#line;
    if (line === undefined) return REFUSED;
    const end = line.read(bytes, from, to);
    if (end === REFUSED) return this.#refuse(line.problem);
    if (end === INCOMPLETE) return to;
    this.#left = line.size;
    this.#state = line.size === 0 ? STATE.lastLine : STATE.chunkPayload;
    line.begin();
    return end;
  }

  #expect(wanted: number, next: number, { byte, at }: Place): number {
    if (byte !== wanted) return this.#refuse(PROBLEM.lineEnd);
    this.#state = next;
    return at + 1;
  }

  /** Most bodies have no trailers. */
  #beginLastLine(byte: number | undefined, at: number): number {
    if (byte === CR) {
      this.#state = STATE.lastLineFeed;
      return at + 1;
    }
    this.#trailers ??= new Trailers();
    this.#trailers.begin();
    this.#state = STATE.trailers;
    return at;
  }

  #readTrailers(bytes: Uint8Array, from: number, to: number): number {
    const trailers = this.#trailers;
    if (trailers === undefined) return REFUSED;
    const end = trailers.read(bytes, from, to);
    if (end === REFUSED) return this.#refuse(trailers.problem);
    if (end === INCOMPLETE) return to;
    this.#hasTrailers = trailers.count > 0;
    this.#state = STATE.over;
    return end;
  }

  #refuse(problem: Http1Problem): typeof REFUSED {
    this.problem = problem;
    return REFUSED;
  }
}
