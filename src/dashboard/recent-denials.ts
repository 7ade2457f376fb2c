/** What was refused of late: calls that are alike stand once, with how often there were. */

/** So many different ones are kept; paths that strangers make up cost no more. */
const MAX_DENIALS = 50;

export interface Denial {
  /** Who called whom with what, and what refused it. */
  readonly summary: string;
  readonly explanation: readonly string[];
  readonly times: number;
  /** ISO 8601, of the newest. */
  readonly lastTime: string;
}

export class RecentDenials {
  /** The least recent first. */
  readonly #denials: Map<string, Denial> = new Map();

  /** @param explain is asked once for each that differs */
  add(summary: string, told: { time: string; explain: () => readonly string[] }): void {
    const known = this.#denials.get(summary);
    this.#denials.delete(summary);
    this.#denials.set(summary, {
      summary,
      explanation: known?.explanation ?? told.explain(),
      times: (known?.times ?? 0) + 1,
      lastTime: known !== undefined && known.lastTime > told.time ? known.lastTime : told.time,
    });
    if (this.#denials.size <= MAX_DENIALS) return;
    const [oldest] = this.#denials.keys();
    if (oldest !== undefined) this.#denials.delete(oldest);
  }

  /** The newest first. */
  newest(): readonly Denial[] {
    return [...this.#denials.values()].sort((a, b) => (a.lastTime < b.lastTime ? 1 : -1));
  }
}
