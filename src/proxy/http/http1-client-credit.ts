/** How much of an answer its owner holds: when that is much, nothing more is read until some of it was passed on. */
import type { SocketEnd } from "./socket-end.ts";

/** Octets. What was read at once may go beyond. */
const MOST_HELD = 65_536;

export class AnswerCredit {
  readonly #end: SocketEnd;
  #held = 0;
  #isPaused = false;

  constructor(end: SocketEnd) {
    this.#end = end;
  }

  /** The owner is given so many octets. */
  give(octets: number): void {
    this.#held += octets;
    if (this.#held < MOST_HELD || this.#isPaused) return;
    this.#isPaused = true;
    this.#end.pause();
  }

  /** The owner has passed on, or thrown away, so many of them. */
  take(octets: number): void {
    this.#held -= octets;
    if (this.#isPaused && this.#held <= MOST_HELD / 2) this.#resume();
  }

  /** Whatever is still held is no concern of the next answer. */
  clear(): void {
    this.#held = 0;
    if (this.#isPaused) this.#resume();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#end.resume();
  }
}
