/** The comparison as a whole: batches until enough was asked or the time is over, and what is told of it. */
import { Dice } from "../kit/dice.ts";
import { compareBatch, type Lanes } from "./compare.ts";
import { type Answered, agreementOf } from "./disagreement.ts";
import { EXPLANATIONS, explanationOf, MOST_EXCUSED } from "./explanations.ts";
import { generateSet } from "./generate-set.ts";
import { minimise } from "./minimise.ts";
import { printDisagreement } from "./print-disagreement.ts";
import { TRAPS } from "./traps.ts";

const CALLS = 20;
const SETS_AT_ONCE = 60;
/** The rest of them is only counted. */
const MAX_MINIMISED = 8;
/** Of those where all say the same words. */
const MAX_OF_A_KIND = 1;

export interface ComparisonOptions {
  readonly requests: number;
  readonly seed: number;
  /** By `performance.now()`. */
  readonly end: number;
  readonly print: (line: string) => void;
}

/** @returns whether all agreed, but for what is explained */
export async function runComparison(lanes: Lanes, options: ComparisonOptions): Promise<boolean> {
  const { requests, seed, end, print } = options;
  const dice = new Dice(seed);
  const tally = new Tally(lanes, print);
  for (let from = 0; from < TRAPS.length; from += SETS_AT_ONCE)
    await tally.take(await compareBatch(TRAPS.slice(from, from + SETS_AT_ONCE), lanes));
  let sets = TRAPS.length;
  while (tally.asked < requests && performance.now() < end) {
    const batch = Array.from({ length: SETS_AT_ONCE }, () => generateSet(dice, CALLS));
    await tally.take(await compareBatch(batch, lanes));
    sets += batch.length;
  }
  return tally.conclude(sets);
}

class Tally {
  readonly #lanes: Lanes;
  readonly #print: (line: string) => void;
  readonly #excused = new Map<string, number>();
  readonly #outcomes = new Map<string, number>();
  asked = 0;
  #unread = 0;
  readonly #kinds = new Map<string, number>();
  #minimised = 0;
  #unexplained = 0;

  constructor(lanes: Lanes, print: (line: string) => void) {
    this.#lanes = lanes;
    this.#print = print;
  }

  async take(answers: readonly Answered[]): Promise<void> {
    this.asked += answers.length;
    for (const answer of answers) {
      count(this.#outcomes, `${answer.call.protocol} ${answer.engine.verdict}`);
      const agreement = agreementOf(answer);
      if (agreement === "refused unread") this.#unread += 1;
      if (agreement === "disagreed") await this.#disagreed(answer);
    }
  }

  async #disagreed(answer: Answered): Promise<void> {
    const explanation = explanationOf(answer);
    if (explanation !== undefined) {
      count(this.#excused, explanation.rule);
      return;
    }
    this.#unexplained += 1;
    const kind = `${answer.engine.seen}, ${answer.sidecar?.seen ?? "-"}, ${answer.envoy.seen}`;
    count(this.#kinds, kind);
    if (this.#minimised >= MAX_MINIMISED || (this.#kinds.get(kind) ?? 0) > MAX_OF_A_KIND) return;
    this.#minimised += 1;
    this.#print(`\n# disagreement ${this.#unexplained}`);
    this.#print(printDisagreement(await minimise(answer, this.#lanes)));
  }

  /** @returns whether it is well */
  conclude(sets: number): boolean {
    const excused = [...this.#excused.values()].reduce((sum, times) => sum + times, 0);
    const share = excused / this.asked;
    for (const [outcome, times] of [...this.#outcomes].sort()) this.#print(line(outcome, times));
    for (const [kind, times] of this.#kinds)
      this.#print(line(`disagreements: engine, sidecar, Envoy say ${kind}`, times));
    for (const { rule, why, example } of EXPLANATIONS)
      this.#print(line(`excused by ${rule} (${why}; ${example})`, this.#excused.get(rule) ?? 0));
    this.#print(line("refused unread by both proxies", this.#unread));
    this.#print(
      `${this.asked} calls of ${sets} sets: ${this.#unexplained} disagreements, ${excused} excused (${(100 * share).toFixed(2)} %)`,
    );
    return this.#unexplained === 0 && share <= MOST_EXCUSED;
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function line(name: string, times: number): string {
  return `${String(times).padStart(9)}  ${name}`;
}
