/**
 * Something of which only so much may be in use: connections, requests, retries. Whoever uses one holds a ticket, and
 * gives it back once, whatever happens.
 */

// Set below: a count changes only together with a ticket.
let countDown: (resource: LimitedResource) => void;
let hold: (ticket: Ticket, resource: LimitedResource) => void;

export class LimitedResource {
  #limit: number;
  #inUse = 0;

  constructor(limit: number = Number.MAX_SAFE_INTEGER) {
    this.#limit = limit;
  }

  static {
    countDown = (resource) => {
      resource.#inUse--;
    };
  }

  get inUse(): number {
    return this.#inUse;
  }

  get isExhausted(): boolean {
    return this.#inUse >= this.#limit;
  }

  /** A lower limit takes nothing away from those who hold something. */
  set limit(limit: number) {
    this.#limit = limit;
  }

  /** Takes one, unless none is left. What the ticket held before is given back first, also when none is left. */
  take(ticket: Ticket): "taken" | "overflow" {
    ticket.giveBack();
    if (this.#inUse >= this.#limit) return "overflow";
    return this.takeBeyondLimit(ticket);
  }

  /** Takes one also where none is left: for what would otherwise wait for ever. */
  takeBeyondLimit(ticket: Ticket): "taken" {
    ticket.giveBack();
    hold(ticket, this);
    this.#inUse++;
    return "taken";
  }
}

/**
 * Holds one unit of one resource at most. It belongs to one request or connection and lives as long: made with it, used
 * again when that is used again, so that nothing is allocated when something is taken.
 */
export class Ticket {
  #held: LimitedResource | undefined;

  static {
    hold = (ticket, resource) => {
      ticket.#held = resource;
    };
  }

  /** Of what is held no more, nothing is given back: to call it once too often is harmless. */
  giveBack(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    countDown(held);
  }
}
