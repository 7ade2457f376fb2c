/**
 * Carries a body from one end of an exchange to the other. What the receiver does not take at once is held here, and only
 * then copied; the sender is told of what was taken, and sends no more than it was told: so what is held is bounded.
 */
import { HeldFields } from "./held-fields.ts";
import type { Following, ReceivedFields } from "./received-message.ts";

export interface BodySender {
  consumed(octets: number): void;
}

export interface BodyReceiver {
  data(bytes: Buffer, from: number, to: number, following: Following): number;
  trailers(fields: ReceivedFields): void;
}

const NOTHING = Buffer.alloc(0);

export class BodyPipe {
  /** Of the body, as they came. */
  octets = 0;
  /** Whether all of the body has come. */
  isComplete = false;
  #sender: BodySender | undefined;
  #receiver: BodyReceiver | undefined;
  readonly #held: Buffer[] = [];
  #trailers: HeldFields | undefined;
  #isPassedOn = false;

  constructor(sender?: BodySender) {
    this.#sender = sender;
  }

  /** Whether the receiver has taken all, to the end. */
  get isPassedOn(): boolean {
    return this.#isPassedOn;
  }

  /** What has come meanwhile goes on now. */
  setReceiver(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    if (this.#held.length > 0 || this.isComplete) this.writable();
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    this.octets += to - from;
    if (following === "last") this.isComplete = true;
    const isFirst = this.#receiver !== undefined && this.#held.length === 0;
    const taken = isFirst ? this.#pass(bytes, from, to) : 0;
    const at = from + taken;
    if (at < to) this.#held.push(Buffer.from(bytes.subarray(at, to)));
    if (taken > 0) this.#sender?.consumed(taken);
  }

  trailers(fields: ReceivedFields): void {
    this.isComplete = true;
    if (this.#receiver !== undefined && this.#held.length === 0) {
      this.#isPassedOn = true;
      this.#receiver.trailers(fields);
      return;
    }
    this.#trailers = HeldFields.borrow();
    this.#trailers.load(fields);
  }

  /** The receiver takes more. */
  writable(): void {
    while (this.#held.length > 0) {
      const bytes = this.#held[0] ?? NOTHING;
      const isLastPiece = this.#held.length === 1;
      const taken = this.#pass(bytes, 0, bytes.length, isLastPiece ? "perhaps last" : "more");
      if (taken === bytes.length) this.#held.shift();
      else this.#held[0] = bytes.subarray(taken);
      if (taken > 0) this.#sender?.consumed(taken);
      if (taken < bytes.length) return;
    }
    if (this.isComplete && !this.#isPassedOn) this.#passEnd();
  }

  /** Nothing more goes on. */
  close(): void {
    this.#receiver = undefined;
    this.#sender = undefined;
    this.#held.length = 0;
    this.#trailers?.release();
    this.#trailers = undefined;
  }

  /** The end goes on with the last octet, or else with the next piece. */
  #pass(bytes: Buffer, from: number, to: number, place: "more" | "perhaps last" = "perhaps last") {
    const receiver = this.#receiver;
    if (receiver === undefined) return 0;
    const isLast = place !== "more" && this.isComplete && this.#trailers === undefined;
    const taken = receiver.data(bytes, from, to, isLast ? "last" : "more");
    if (isLast && taken === to - from) this.#isPassedOn = true;
    return taken;
  }

  #passEnd(): void {
    const trailers = this.#trailers;
    if (trailers === undefined) {
      this.#pass(NOTHING, 0, 0);
      return;
    }
    this.#trailers = undefined;
    this.#isPassedOn = true;
    this.#receiver?.trailers(trailers);
    trailers.release();
  }
}
