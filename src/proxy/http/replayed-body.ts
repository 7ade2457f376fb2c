/**
 * A request's body on its way to a callee, kept as it goes by so that another callee can have it from its beginning. Only
 * where a route asks for retries, and only as much as is worth it: what is longer goes to the first callee alone.
 */
import type { BodyReceiver } from "./body-pipe.ts";
import { HeldFields } from "./held-fields.ts";
import { HOLDING_LIMIT, type Holder, type HoldingLimit } from "./holding-limit.ts";
import type { Following, ReceivedFields } from "./received-message.ts";

/** Octets of one body. */
const MOST_KEPT = 65_536;
const NOTHING = Buffer.alloc(0);

export class ReplayedBody implements BodyReceiver, Holder {
  readonly #owner: Holder;
  readonly #limit: HoldingLimit;
  #kept: Buffer[] = [];
  #size = 0;
  /** Octets that the present receiver has. */
  #sent = 0;
  #end: "open" | "ended" | HeldFields = "open";
  #isEndSent = false;
  /** All that has come is kept. */
  #isWhole = true;
  #receiver: BodyReceiver | undefined;

  /** @param owner told when what the receiver still needs cannot be kept any longer */
  constructor(owner: Holder, limit: HoldingLimit = HOLDING_LIMIT) {
    this.#owner = owner;
    this.#limit = limit;
  }

  /** Whether another receiver can have it. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whether the receiver lacks something that was taken for it. */
  get isBehind(): boolean {
    return this.#isWhole && (this.#sent < this.#size || (this.#end !== "open" && !this.#isEndSent));
  }

  /** What comes meanwhile is kept for the next one. */
  dropReceiver(): void {
    this.#receiver = undefined;
    this.#sent = 0;
    this.#isEndSent = false;
  }

  /** It gets all from the beginning. */
  setReceiver(receiver: BodyReceiver): void {
    this.dropReceiver();
    this.#receiver = receiver;
    this.writable();
  }

  data(bytes: Buffer, from: number, to: number, following: Following): number {
    const isDirect = this.#receiver !== undefined && this.#sent === this.#size;
    const fits = this.#isWhole && this.#size + (to - from) <= MOST_KEPT;
    if (!isDirect && !fits) return 0;
    if (fits) {
      this.#keep(bytes, from, to);
      if (following === "last") this.#end = "ended";
      this.writable();
      return to - from;
    }
    this.#forget();
    return this.#receiver?.data(bytes, from, to, following) ?? 0;
  }

  trailers(fields: ReceivedFields): void {
    if (!this.#isWhole) {
      this.#receiver?.trailers(fields);
      return;
    }
    this.#end = HeldFields.borrow();
    this.#end.load(fields);
    this.writable();
  }

  /** The receiver takes more. */
  writable(): void {
    if (this.#receiver === undefined || !this.#isWhole) return;
    let start = 0;
    for (const piece of this.#kept) {
      const from = this.#sent - start;
      start += piece.length;
      if (from >= piece.length) continue;
      this.#sent += this.#receiver.data(piece, from, piece.length, "more");
      if (this.#sent < start) return;
    }
    if (this.#end === "open" || this.#isEndSent) return;
    this.#isEndSent = true;
    if (this.#end === "ended") this.#receiver.data(NOTHING, 0, 0, "last");
    else this.#receiver.trailers(this.#end);
  }

  /** All that are under way hold too much: nobody else can have it then. */
  giveUp(): void {
    const isNeeded = this.isBehind;
    this.#kept = [];
    this.#isWhole = false;
    this.#shrink();
    if (isNeeded) this.#owner.giveUp();
  }

  close(): void {
    this.#receiver = undefined;
    this.#forget();
    if (typeof this.#end !== "string") this.#end.release();
    this.#end = "ended";
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    if (from === to) return;
    const piece = Buffer.allocUnsafeSlow(to - from);
    bytes.copy(piece, 0, from, to);
    this.#kept.push(piece);
    this.#size += piece.length;
    this.#limit.grow(this, piece.length);
  }

  #forget(): void {
    if (!this.#isWhole) return;
    this.#kept = [];
    this.#isWhole = false;
    this.#shrink();
  }

  #shrink(): void {
    if (this.#size > 0) this.#limit.shrink(this, this.#size, "holds none");
    this.#size = 0;
    this.#sent = 0;
  }
}
