/**
 * Answers many questions by one run: those that come while a run is under way wait for the next one, together. However
 * many ask, there is one run at a time, and it rests as long as it took.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createDeferred, type Deferred } from "../runtime/deferred.ts";

/** What is not in the map has no answer. */
export type AnswerAll<Q, A> = (
  questions: ReadonlySet<Q>,
) => ReadonlyMap<Q, A> | Promise<ReadonlyMap<Q, A>>;

interface Asked<Q, A> {
  readonly question: Q;
  readonly answer: Deferred<A | undefined>;
}

export class SharedRun<Q, A> {
  readonly #answerAll: AnswerAll<Q, A>;
  #waiting: Asked<Q, A>[] = [];
  #running = false;

  constructor(answerAll: AnswerAll<Q, A>) {
    this.#answerAll = answerAll;
  }

  /**
   * Answered by a run that begins after this.
   *
   * @throws what the run throws
   */
  ask(question: Q): Promise<A | undefined> {
    const answer = createDeferred<A | undefined>();
    this.#waiting.push({ question, answer });
    if (!this.#running) {
      this.#running = true;
      setImmediate(() => void this.#runWhileAsked());
    }
    return answer.promise;
  }

  async #runWhileAsked(): Promise<void> {
    while (this.#waiting.length > 0) {
      const asked = this.#waiting;
      this.#waiting = [];
      const since = performance.now();
      await this.#run(asked);
      await delay(performance.now() - since);
    }
    this.#running = false;
  }

  async #run(asked: readonly Asked<Q, A>[]): Promise<void> {
    try {
      const answers = await this.#answerAll(new Set(asked.map(({ question }) => question)));
      for (const { question, answer } of asked) answer.resolve(answers.get(question));
    } catch (error) {
      for (const { answer } of asked) answer.reject(error);
    }
  }
}
