/**
 * Who is answered next: questions of one identity wait in a line of their own, and the lines take turns, so that nobody waits for all
 * that somebody else asks at once. Between few questions the process sees what else has come.
 */
import { createDeferred, type Deferred } from "../runtime/deferred.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";

/** Answered without a look at what else has come: about a millisecond each where they are as long as they may be. */
export const QUESTIONS_AT_ONCE = 4;
/** Of one identity, all its pods together. */
export const LONGEST_LINE = 256;

export class FairTurns<Id> {
  /** The one that was served last is last. */
  readonly #lines: Map<Id, Deferred<void>[]> = new Map();
  /** Since the process last looked at what else has come. */
  #served = 0;
  #isPaused = false;

  /**
   * Resolves when it is that identity's turn.
   *
   * @throws GrpcStatusError where too many wait already
   */
  async next(id: Id): Promise<void> {
    if (this.#lines.size === 0 && this.#served < QUESTIONS_AT_ONCE) {
      this.#countServed();
      return;
    }
    const line = this.#lines.get(id) ?? [];
    if (line.length >= LONGEST_LINE)
      throw new GrpcStatusError("RESOURCE_EXHAUSTED", "too many questions at once");
    const turn = createDeferred<void>();
    line.push(turn);
    this.#lines.set(id, line);
    await turn.promise;
  }

  #countServed(): void {
    this.#served++;
    if (this.#isPaused) return;
    this.#isPaused = true;
    setImmediate(() => this.#goOn());
  }

  #goOn(): void {
    this.#isPaused = false;
    this.#served = 0;
    while (this.#served < QUESTIONS_AT_ONCE) {
      const [first] = this.#lines;
      if (first === undefined) return;
      const [id, line] = first;
      this.#lines.delete(id);
      const turn = line.shift();
      if (line.length > 0) this.#lines.set(id, line);
      this.#countServed();
      turn?.resolve();
    }
  }
}
