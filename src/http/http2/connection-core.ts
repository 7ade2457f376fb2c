/** What all parts of a connection share: its streams, windows and output, and the ways in which things end. */
import { AbuseBudget } from "./abuse-budget.ts";
import { ERROR_CODE } from "./error-code.ts";
import type { Http2Events, Role } from "./events.ts";
import { FRAME, LARGEST } from "./frame.ts";
import {
  CONNECTION_WINDOW,
  CONTROL_BUDGET,
  HEADS_AT_ONCE,
  MAX_HELD,
  MAX_OPEN_HEADS,
  MAX_OUTPUT,
  OUTPUT_HIGH_WATER,
  RESET_BUDGET,
  STREAM_WINDOW,
} from "./limits.ts";
import { OutputBatches } from "./output-batches.ts";
import { PeerSettings } from "./peer-settings.ts";
import type { Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

export class ConnectionCore<Context> {
  readonly role: Role;
  readonly events: Http2Events<Context>;
  readonly output: OutputBatches = new OutputBatches();
  readonly peer: PeerSettings = new PeerSettings();
  readonly streams: StreamTable<Context>;
  readonly resets: AbuseBudget;
  readonly control: AbuseBudget;
  /** Streams whose owner waits to send more, the one that waits longest first. */
  readonly waiting: Set<Http2Stream<Context>> = new Set();
  sendWindow = 65_535;
  receiveWindow: number = CONNECTION_WINDOW;
  /** Nothing more is received or sent, but for what stands in the output. */
  isOver = false;
  /** The last stream that we serve, once that is settled. */
  lastServed: number = LARGEST;
  /** The last of our streams that the peer serves. */
  lastServedByPeer: number = LARGEST;
  /** No stream is opened any more, either way: when the open ones have ended, the connection may end. */
  isClosing = false;
  /** Of heads that may be decoded before others have their turn. */
  headsLeft: number = HEADS_AT_ONCE;
  #openHeads = 0;
  /** Octets that owners were given and have not consumed. */
  #held = 0;
  #isFlushAsked = false;
  #isDrained = false;

  constructor(role: Role, events: Http2Events<Context>, now: () => number) {
    this.role = role;
    this.events = events;
    this.streams = new StreamTable(role);
    this.resets = new AbuseBudget(RESET_BUDGET, now);
    this.control = new AbuseBudget(CONTROL_BUDGET, now);
  }

  /** Ends the connection with an error of the peer's (RFC 9113 section 5.4.1). */
  fail(code: number, problem: string): void {
    if (this.isOver) return;
    this.writeGoaway(this.streams.lastOfPeer, code);
    this.isOver = true;
    this.events.failed({ streamId: 0, code, problem });
    this.abandonStreams(code);
  }

  /** Ends a stream for an error of the peer's (RFC 9113 section 5.4.2); `id` may be of none that is open. */
  failStream(id: number, code: number, problem: string): void {
    if (this.isOver) return;
    const stream = this.streams.get(id);
    this.writeReset(id, code);
    this.events.violation({ streamId: id, code, problem });
    if (stream !== undefined && !stream.isClosed) {
      this.drop(stream);
      this.events.reset(stream, code);
    }
    this.chargeReset();
  }

  chargeReset(): void {
    if (!this.resets.spend(1))
      this.fail(ERROR_CODE.ENHANCE_YOUR_CALM, "too many streams that end before their time");
  }

  chargeControl(amount: number): void {
    if (!this.control.spend(amount)) {
      this.fail(ERROR_CODE.ENHANCE_YOUR_CALM, "too many frames that carry nothing");
    }
  }

  abandonStreams(code: number): void {
    for (const stream of [...this.streams.values()]) {
      this.drop(stream);
      this.events.reset(stream, code);
    }
  }

  /** Closes a stream that both sides have ended. */
  closeIfOver(stream: Http2Stream<Context>): void {
    if (stream.isClosed || stream.receiving !== "over" || stream.sending !== "over") return;
    this.resets.earn(1);
    this.control.earn(1);
    this.#close(stream);
  }

  /** Closes a stream before its time: what its owner still holds is the peer's again. */
  drop(stream: Http2Stream<Context>): void {
    const { unconsumed } = stream;
    stream.unconsumed = 0;
    this.#close(stream);
    this.#noteConsumed(unconsumed);
  }

  /** Octets of heads and trailers on streams that are open. */
  get openHeads(): number {
    return this.#openHeads;
  }

  /** A head, or trailers, of a new stream or of one that is open. @returns false when all together would be too much for a server */
  takeHead(stream: Http2Stream<Context>, octets: number): boolean {
    if (this.role === "server" && this.#openHeads + octets > MAX_OPEN_HEADS) return false;
    stream.headOctets += octets;
    this.#openHeads += octets;
    return true;
  }

  /** DATA came. @param held so many octets of it are a stream's owner's to consume */
  noteReceived(octets: number, held: number): void {
    this.receiveWindow -= octets;
    this.#held += held;
    this.#widen();
  }

  /** The owner has done with so many octets of the stream's body: the peer may send as many more. */
  consume(stream: Http2Stream<Context>, octets: number): void {
    const amount = Math.min(octets, stream.unconsumed);
    stream.unconsumed -= amount;
    this.#noteConsumed(amount);
    if (stream.receiving === "over") return;
    stream.credit += amount;
    if (stream.credit < STREAM_WINDOW / 2) return;
    this.#writeCredit(stream.id, stream.credit);
    stream.receiveWindow += stream.credit;
    stream.credit = 0;
  }

  /** Lets owners go on that wait for a window or for room, as far as there is any. */
  wakeWaiting(): void {
    if (this.waiting.size === 0 || this.sendWindow <= 0) return;
    if (this.output.pending >= OUTPUT_HIGH_WATER) return;
    for (const stream of [...this.waiting]) {
      if (this.sendWindow <= 0 || this.output.pending >= OUTPUT_HIGH_WATER) return;
      if (stream.sendWindow <= 0 || !this.waiting.delete(stream)) continue;
      this.events.writable(stream);
    }
  }

  writeReset(id: number, code: number): void {
    if (this.isOver) return;
    this.streams.noteReset(id);
    this.output.frameHeader(FRAME.RST_STREAM, 0, { length: 4, id });
    this.output.uint32(code);
    this.announceOutput();
  }

  writeGoaway(lastStreamId: number, code: number): void {
    if (this.isOver) return;
    this.output.frameHeader(FRAME.GOAWAY, 0, { length: 8, id: 0 });
    this.output.uint32(lastStreamId);
    this.output.uint32(code);
    this.askFlush();
  }

  /** To be called after whatever was written on the peer's behalf, and after heads. */
  announceOutput(): void {
    this.askFlush();
    if (this.output.pending > MAX_OUTPUT) {
      this.fail(ERROR_CODE.ENHANCE_YOUR_CALM, "the peer reads too slowly for what it asks");
    }
  }

  askFlush(): void {
    if (this.#isFlushAsked) return;
    this.#isFlushAsked = true;
    this.events.flush();
  }

  /** All that was written has been taken. */
  noteFlushed(): void {
    this.#isFlushAsked = false;
    if (!this.isOver) this.wakeWaiting();
  }

  checkDrained(): void {
    if (!this.isClosing || this.isOver || this.#isDrained || this.streams.size > 0) return;
    this.#isDrained = true;
    this.events.drained();
  }

  #close(stream: Http2Stream<Context>): void {
    this.#openHeads -= stream.headOctets;
    stream.headOctets = 0;
    this.streams.close(stream);
    this.waiting.delete(stream);
    this.checkDrained();
  }

  #noteConsumed(octets: number): void {
    this.#held -= octets;
    this.#widen();
  }

  /**
   * Streams have windows of their own, so some whose owners are slow must not hold up all others. Of a client there are as
   * many as it opens itself; of a server, as many as the peer likes.
   */
  #widen(): void {
    const most = this.role === "client" ? CONNECTION_WINDOW : MAX_HELD - this.#held;
    const credit = Math.min(CONNECTION_WINDOW, most) - this.receiveWindow;
    if (credit < CONNECTION_WINDOW / 2) return;
    this.#writeCredit(0, credit);
    this.receiveWindow += credit;
  }

  #writeCredit(id: number, octets: number): void {
    if (this.isOver) return;
    this.output.frameHeader(FRAME.WINDOW_UPDATE, 0, { length: 4, id });
    this.output.uint32(octets);
    this.announceOutput();
  }
}
