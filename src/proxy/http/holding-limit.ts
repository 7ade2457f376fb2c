/**
 * What all bodies may hold together. Each stream has a window, and each connection a thousand streams: peers that send and
 * never read could otherwise make a process hold as much as they like. Beyond the limit those go first whose receivers
 * have taken nothing for longest.
 */
import { atEndOfTurn, type EndOfTurn } from "./end-of-turn.ts";

/** Half of what a sidecar may take of memory as Istio has it by default leaves room for the rest; octets. */
const MAX_HELD_OF_ALL = 268_435_456;

export interface Holder {
  /** Ends, and so holds nothing any more. */
  giveUp(): void;
}

export class HoldingLimit implements EndOfTurn {
  readonly #most: number;
  /** The one that has stood still for longest first. */
  readonly #holders: Set<Holder> = new Set();
  #octets = 0;
  #isWaiting = false;

  /** @param most octets */
  constructor(most: number) {
    this.#most = most;
  }

  /** Octets of memory. */
  get octets(): number {
    return this.#octets;
  }

  grow(holder: Holder, by: number): void {
    this.#octets += by;
    this.#holders.add(holder);
    if (this.#octets <= this.#most || this.#isWaiting) return;
    this.#isWaiting = true;
    atEndOfTurn(this);
  }

  /** Something was taken. */
  shrink(holder: Holder, by: number, afterwards: "holds more" | "holds none"): void {
    this.#octets -= by;
    this.#holders.delete(holder);
    if (afterwards === "holds more") this.#holders.add(holder);
  }

  /** Nobody is ended in the midst of what another is told. */
  endOfTurn(): void {
    this.#isWaiting = false;
    for (const holder of this.#holders) {
      if (this.#octets <= this.#most) return;
      this.#holders.delete(holder);
      holder.giveUp();
    }
  }
}

export const HOLDING_LIMIT: HoldingLimit = new HoldingLimit(MAX_HELD_OF_ALL);
