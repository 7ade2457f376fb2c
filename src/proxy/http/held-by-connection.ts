/**
 * What one HTTP/2 connection makes us hold, heads of its requests and answers that it has not read, as part of what all may
 * hold together. Counted in steps: a connection with little costs nothing, and one whose requests end is not the one that
 * has stood still for longest.
 */
import { HOLDING_LIMIT, type Holder, type HoldingLimit } from "./holding-limit.ts";

/** Octets; less is not counted. */
const STEP = 262_144;

export class HeldByConnection implements Holder {
  readonly #owner: Holder;
  readonly #limit: HoldingLimit;
  #counted = 0;

  /** @param owner told when it must be given up, because all that are under way hold too much */
  constructor(owner: Holder, limit: HoldingLimit = HOLDING_LIMIT) {
    this.#owner = owner;
    this.#limit = limit;
  }

  /** @param octets of all that are held now */
  note(octets: number): void {
    const counted = this.#counted;
    if (octets < counted + STEP && octets + STEP > counted) return;
    this.#counted = octets - (octets % STEP);
    const by = this.#counted - counted;
    if (by > 0) this.#limit.grow(this, by);
    else this.#limit.shrink(this, -by, this.#counted > 0 ? "holds more" : "holds none");
  }

  /** Some of it has gone out: it does not stand still, however much there is. */
  moved(): void {
    if (this.#counted > 0) this.#limit.shrink(this, 0, "holds more");
  }

  giveUp(): void {
    this.#owner.giveUp();
  }
}
