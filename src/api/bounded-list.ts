/** What is said of one document, of one level: a few things are told, many are counted, and the rest costs nothing. */

/** Nobody mends more at once; a stranger's document could have a million. */
export const MOST_TOLD = 100;
const MOST_COUNTED = 1_000;

export class BoundedList<Said> {
  readonly #told: Said[] = [];
  readonly #keys = new Set<string>();
  #counted = 0;
  #firstUntold: Said | undefined;

  /** @param key what is told once; absent where all is told */
  add(said: Said, key?: string): void {
    if (this.#counted >= MOST_COUNTED || (key !== undefined && this.#keys.has(key))) return;
    if (key !== undefined) this.#keys.add(key);
    this.#counted++;
    if (this.#told.length < MOST_TOLD) this.#told.push(said);
    else this.#firstUntold ??= said;
  }

  /** Whether more would change nothing. */
  get isFull(): boolean {
    return this.#counted >= MOST_COUNTED;
  }

  get told(): readonly Said[] {
    return this.#told;
  }

  /** The first that is not told, and how many there are in words: `12`, `at least 900`. */
  get rest(): { readonly first: Said; readonly count: string } | undefined {
    if (this.#firstUntold === undefined) return undefined;
    const count = this.#counted - this.#told.length;
    const most = this.#counted >= MOST_COUNTED ? "at least " : "";
    return { first: this.#firstUntold, count: `${most}${count}` };
  }
}
