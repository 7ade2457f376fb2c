/**
 * The fields of an answer until its body has gone, for logs and spans that ask for them. Without those an answer's fields go on
 * as they come, and none are held. Large ones count with all that is held: whoever takes long over the bodies of many answers
 * would otherwise make us hold as many heads.
 */
import { HeldFields } from "./held-fields.ts";
import { HOLDING_LIMIT, type Holder, type HoldingLimit } from "./holding-limit.ts";
import type { ReceivedFields } from "./received-message.ts";

/** Octets of memory; a request costs as much anyway, and one with less is no longer the first to go for it. */
const LEAST_COUNTED = 8_192;

export class KeptAnswerFields implements Holder {
  readonly fields: HeldFields = HeldFields.borrow();
  readonly #owner: Holder;
  readonly #limit: HoldingLimit;
  #counted = 0;

  /** @param owner ends when all that is held is too much, and releases them in the end */
  constructor(received: ReceivedFields, owner: Holder, limit: HoldingLimit = HOLDING_LIMIT) {
    this.#owner = owner;
    this.#limit = limit;
    this.fields.load(received);
    const { octets } = this.fields;
    if (octets < LEAST_COUNTED) return;
    this.#counted = octets;
    limit.grow(this, octets);
  }

  /** To be called once; whoever has read them reads them no more. */
  release(): void {
    this.#countNoMore();
    this.fields.release();
  }

  /** They count no more from now on: their owner ends within this turn, and others need not go for them. */
  giveUp(): void {
    this.#countNoMore();
    this.#owner.giveUp();
  }

  #countNoMore(): void {
    if (this.#counted > 0) this.#limit.shrink(this, this.#counted, "holds none");
    this.#counted = 0;
  }
}
