/**
 * One end of a socket as HTTP connections use it: bytes in by a callback, in memory that is lent; bytes out gathered, and
 * written once a turn of the event loop; told when to pause.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { copyRange } from "../../http/http1/write-bytes.ts";
import { Batch, sizeFor } from "../../http/http2/output-batches.ts";
import { atEndOfTurn, type EndOfTurn } from "./end-of-turn.ts";
import { readShared } from "./shared-reads.ts";

export interface SocketEvents {
  /** @param bytes valid until this returns */
  received(bytes: Buffer, from: number, to: number): void;
  /** The other end sends no more. */
  ended(): void;
  /** The socket takes more, after `isCongested`. */
  drained(): void;
  /** It is gone, for whatever reason. Called once, the last of all. */
  closed(): void;
}

/** Octets that may wait in the socket before its owner should pause. */
const HIGH_WATER = 65_536;

export class SocketEnd implements EndOfTurn {
  readonly socket: Socket;
  readonly #events: SocketEvents;
  /** What was written in this turn. */
  #batch: Batch | undefined;
  #isWaiting = false;
  #wasCongested = false;
  #isDetached = false;
  #isEnding = false;
  /** Whether the last write was over when it returned. TLS always takes longer. */
  #isTakenAtOnce: boolean;

  /** Takes the socket over: nobody else reads from it or writes to it, until `detach`. */
  constructor(socket: Socket, events: SocketEvents) {
    this.socket = socket;
    this.#events = events;
    this.#isTakenAtOnce = !(socket instanceof TLSSocket);
    socket.on("data", this.#onData).on("end", this.#onEnd).on("drain", this.#onDrain);
    socket.on("error", this.#onError).once("close", this.#onClose);
    readShared(socket, this.#onRead);
    socket.resume();
  }

  /** Whether so much waits that nothing more should be written until `drained`. */
  get isCongested(): boolean {
    if (this.#wasCongested) return true;
    const { length = 0 } = this.#batch ?? {};
    this.#wasCongested = this.socket.writableLength + length >= HIGH_WATER;
    if (this.#wasCongested) this.#ask();
    return this.#wasCongested;
  }

  /** Copies bytes, to be written at the end of this turn. */
  write(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      const batch = this.#roomFor(1, to - at);
      const end = Math.min(to, at + batch.bytes.length - batch.length);
      batch.length = copyRange({ bytes, start: at, end }, batch.bytes, batch.length);
      at = end;
    }
  }

  /** A batch with room for so many octets, 16,384 at most: write into it, and move its `length` on. */
  room(octets: number): Batch {
    return this.#roomFor(octets, octets);
  }

  /** A batch that was filled elsewhere, behind all that was written. */
  writeBatch(batch: Batch): void {
    this.#flush();
    this.#send(batch);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Nothing more is written after what was. */
  end(): void {
    this.#isEnding = true;
    this.#ask();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** As `destroy`, and the other end cannot take it for a proper end of what it has read. */
  reset(): void {
    const { socket } = this;
    // Only plain TCP can be reset; TLS tells by its missing close_notify.
    if (socket instanceof TLSSocket || socket.destroyed) socket.destroy();
    else socket.resetAndDestroy();
  }

  /** Gives the socket up to somebody else, with what was read beyond the last message. */
  detach(unread: Buffer): Socket {
    this.#isDetached = true;
    this.#flush();
    const { socket } = this;
    socket.pause();
    socket.off("data", this.#onData).off("end", this.#onEnd).off("drain", this.#onDrain);
    socket.off("error", this.#onError).off("close", this.#onClose);
    if (unread.length > 0) socket.unshift(unread);
    // Streams believe that a read is under way, and would wait for it for ever.
    socket.read(0);
    return socket;
  }

  endOfTurn(): void {
    this.#isWaiting = false;
    this.#flush();
    if (this.#isEnding) this.socket.end();
    // The socket tells nobody when it has taken all at once.
    else if (this.#wasCongested && !this.socket.writableNeedDrain) this.#onDrain();
  }

  /** @param octets together in one batch, of `more` to come */
  #roomFor(octets: number, more: number): Batch {
    const full = this.#batch;
    if (full?.size === "tiny") return this.#roomBehind(full, more);
    if (full !== undefined && full.bytes.length - full.length >= octets) return full;
    if (full !== undefined) this.#send(full);
    this.#batch = Batch.borrow(full === undefined ? sizeFor(more) : "large");
    this.#ask();
    return this.#batch;
  }

  /** What was begun small is moved, rather than written by itself. */
  #roomBehind(tiny: Batch, more: number): Batch {
    const { bytes, length } = tiny;
    if (bytes.length - length >= more) return tiny;
    const larger = Batch.borrow(sizeFor(length + more));
    larger.length = copyRange({ bytes, start: 0, end: length }, larger.bytes, 0);
    tiny.release();
    this.#batch = larger;
    return larger;
  }

  #ask(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    atEndOfTurn(this);
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch !== undefined) this.#send(batch);
  }

  /**
   * The kernel mostly takes all at once: then nobody need call us back, which would cost as much as half the write. If it
   * did not, that batch is left to the collector, and we are called back for the next ones.
   */
  #send(batch: Batch): void {
    const { socket } = this;
    if (!socket.writable) batch.release();
    else if (this.#isTakenAtOnce) {
      socket.write(batch.view());
      this.#isTakenAtOnce = socket.writableLength === 0;
      if (this.#isTakenAtOnce) batch.release();
    } else {
      const before = socket.writableLength;
      socket.write(batch.view(), batch.release);
      this.#isTakenAtOnce = before === 0 && socket.writableLength === 0;
    }
  }

  readonly #onData = (bytes: Buffer): void => this.#events.received(bytes, 0, bytes.length);
  readonly #onRead = (bytes: Buffer, length: number): boolean => {
    if (this.#isDetached) return this.socket.push(Buffer.from(bytes.subarray(0, length)));
    this.#events.received(bytes, 0, length);
    return true;
  };
  readonly #onEnd = (): void => this.#events.ended();
  readonly #onError = (): void => {
    this.socket.destroy();
  };

  readonly #onDrain = (): void => {
    this.#wasCongested = false;
    this.#events.drained();
  };

  readonly #onClose = (): void => {
    this.#batch?.release();
    this.#batch = undefined;
    this.#events.closed();
  };
}
