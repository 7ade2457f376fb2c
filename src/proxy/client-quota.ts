/** How much of something one client may hold at once, so that it leaves enough to the others. */
export interface QuotaLimits {
  readonly perClient: number;
  readonly inAll: number;
}

export class ClientQuota {
  readonly #limits: QuotaLimits;
  readonly #held = new Map<string, number>();
  #heldInAll = 0;

  constructor(limits: QuotaLimits) {
    this.#limits = limits;
  }

  /** @param client by whatever tells clients apart, as their IP addresses */
  take(client: string): "granted" | "spent" {
    const held = this.#held.get(client) ?? 0;
    const { perClient, inAll } = this.#limits;
    if (held >= perClient || this.#heldInAll >= inAll) return "spent";
    this.#held.set(client, held + 1);
    this.#heldInAll++;
    return "granted";
  }

  /** For each that was granted. */
  giveBack(client: string): void {
    const held = this.#held.get(client) ?? 0;
    if (held === 0) return;
    if (held === 1) this.#held.delete(client);
    else this.#held.set(client, held - 1);
    this.#heldInAll--;
  }
}
