/**
 * Which roots the control plane's own certificate may chain to: those that it told last, in a view or beside a
 * certificate, and before that the one that we were started with. A root that it has given up is believed no more.
 */

export class ControlPlaneRoots {
  #given: string;
  #told: readonly string[] = [];
  #givenCounts = true;

  /** @param givenPem handed over by whoever started us; may hold several */
  constructor(givenPem: string) {
    this.#given = givenPem;
  }

  /** PEM. */
  get current(): readonly string[] {
    return this.#givenCounts ? [this.#given, ...this.#told] : this.#told;
  }

  /** Whoever started us names another: it counts beside the others until the control plane itself speaks. */
  give(pem: string): void {
    if (pem === this.#given) return;
    this.#given = pem;
    this.#givenCounts = true;
  }

  /** From the control plane, over a connection that was verified by the roots so far. */
  tell(rootsPem: readonly string[]): void {
    if (rootsPem.length === 0) return;
    this.#told = rootsPem;
    this.#givenCounts = false;
  }
}
