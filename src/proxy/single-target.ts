/** The one place where a request can go: whoever is not there now is down. */
import type { Attempts } from "./exchange.ts";

export class SingleTarget<T> implements Attempts<T> {
  readonly #target: T;

  constructor(target: T) {
    this.#target = target;
  }

  first(): T {
    return this.#target;
  }

  after(): undefined {}

  waits(): "taken" {
    return "taken";
  }

  sent(): void {}
  answered(): void {}
  lost(): void {}
  done(): void {}
}
