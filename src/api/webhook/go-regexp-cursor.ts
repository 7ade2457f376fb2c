/** A place in a regular expression, moving from its beginning to its end. */

/** Only within `go-regexp.ts` and its parts. */
export class RegexpFault extends Error {}

export class RegexpCursor {
  #rest: string;

  constructor(pattern: string) {
    this.#rest = pattern;
  }

  get rest(): string {
    return this.#rest;
  }

  get atEnd(): boolean {
    return this.#rest === "";
  }

  /** The next character, whole even beyond the first 65,536; "" at the end. */
  get peek(): string {
    const point = this.#rest.codePointAt(0);
    return point === undefined ? "" : String.fromCodePoint(point);
  }

  /** The next character, and past it. */
  next(): string {
    const character = this.peek;
    this.skip(character.length);
    return character;
  }

  /** Past `text`, if it is next. */
  take(text: string): boolean {
    const found = this.#rest.startsWith(text);
    if (found) this.skip(text.length);
    return found;
  }

  skip(length: number): void {
    this.#rest = this.#rest.slice(length);
  }
}
