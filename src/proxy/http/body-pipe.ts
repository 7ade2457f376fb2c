/**
 * Carries a body from one end of an exchange to the other. What the receiver does not take at once is held here, and only
 * then copied; the sender is told of what was taken, and sends no more than it was told: so what is held is bounded.
 */
import { HeldFields } from "./held-fields.ts";
import { HeldOctets } from "./held-octets.ts";
import { HOLDING_LIMIT, type Holder, type HoldingLimit } from "./holding-limit.ts";
import type { Following, ReceivedFields } from "./received-message.ts";

export interface BodySender {
  consumed(octets: number): void;
}

export interface BodyReceiver {
  data(bytes: Buffer, from: number, to: number, following: Following): number;
  trailers(fields: ReceivedFields): void;
}

const NOTHING = Buffer.alloc(0);

export class BodyPipe implements Holder {
  /** Of the body, as they came. */
  octets = 0;
  /** Whether all of the body has come. */
  isComplete = false;
  #sender: BodySender | undefined;
  #receiver: BodyReceiver | undefined;
  readonly #owner: Holder;
  readonly #limit: HoldingLimit;
  /** Absent: nothing, so far. */
  #held: HeldOctets | undefined;
  #trailers: HeldFields | undefined;
  #isPassedOn = false;
  #hasBegun = false;
  #isClosed = false;

  /** @param owner told when the body must be given up, because all that are under way hold too much */
  constructor(sender: BodySender | undefined, owner: Holder, limit: HoldingLimit = HOLDING_LIMIT) {
    this.#sender = sender;
    this.#owner = owner;
    this.#limit = limit;
  }

  /** Whether the receiver has taken all, to the end. */
  get isPassedOn(): boolean {
    return this.#isPassedOn;
  }

  /** Whether a receiver has taken any of it, or its end. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Before any of it was taken: what comes is held for the next one. */
  dropReceiver(): void {
    this.#receiver = undefined;
  }

  /** What has come meanwhile goes on now. */
  setReceiver(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    if (this.#holds || this.isComplete) this.writable();
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    this.octets += to - from;
    if (following === "last") this.isComplete = true;
    const isFirst = this.#receiver !== undefined && !this.#holds;
    const taken = isFirst ? this.#pass(bytes, from, to) : 0;
    const at = from + taken;
    if (at < to && !this.#isClosed) this.#hold(bytes, at, to);
    if (taken > 0) this.#sender?.consumed(taken);
  }

  trailers(fields: ReceivedFields): void {
    this.isComplete = true;
    if (this.#receiver !== undefined && !this.#holds) {
      this.#hasBegun = true;
      this.#isPassedOn = true;
      this.#receiver.trailers(fields);
      return;
    }
    this.#trailers = HeldFields.borrow();
    this.#trailers.load(fields);
  }

  /** The receiver takes more. */
  writable(): void {
    const held = this.#held;
    for (let piece = held?.first; held !== undefined && piece !== undefined; piece = held.first) {
      const place = held.isOnePiece ? "perhaps last" : "more";
      const taken = this.#pass(piece.bytes, piece.from, piece.to, place);
      const isGone = held.drop(taken);
      if (taken > 0) this.#sender?.consumed(taken);
      if (!isGone) return;
    }
    if (this.isComplete && !this.#isPassedOn) this.#passEnd();
  }

  /** Nothing more goes on. */
  close(): void {
    this.#isClosed = true;
    this.#receiver = undefined;
    this.#sender = undefined;
    this.#held?.clear();
    this.#trailers?.release();
    this.#trailers = undefined;
  }

  giveUp(): void {
    this.close();
    this.#owner.giveUp();
  }

  get #holds(): boolean {
    return this.#held?.isEmpty === false;
  }

  #hold(bytes: Buffer, from: number, to: number): void {
    this.#held ??= new HeldOctets(this, this.#limit, "lent");
    this.#held.append(bytes, from, to);
  }

  /** The end goes on with the last octet, or else with the next piece. */
  #pass(bytes: Buffer, from: number, to: number, place: "more" | "perhaps last" = "perhaps last") {
    const receiver = this.#receiver;
    if (receiver === undefined) return 0;
    const isLast = place !== "more" && this.isComplete && this.#trailers === undefined;
    const taken = receiver.data(bytes, from, to, isLast ? "last" : "more");
    if (isLast && taken === to - from) this.#isPassedOn = true;
    if (taken > 0 || this.#isPassedOn) this.#hasBegun = true;
    return taken;
  }

  #passEnd(): void {
    const trailers = this.#trailers;
    if (trailers === undefined) {
      this.#pass(NOTHING, 0, 0);
      return;
    }
    this.#trailers = undefined;
    this.#hasBegun = true;
    this.#isPassedOn = true;
    this.#receiver?.trailers(trailers);
    trailers.release();
  }
}
