/** Puts translators with known defects in the place of ours: a suite that does not find them finds nothing. */
import { Dice } from "../kit/dice.ts";
import { compareBatch, type Lanes } from "./compare.ts";
import type { Defect } from "./defects/defect.ts";
import { DEFECTS } from "./defects/defects.ts";
import { type Answered, agreementOf } from "./disagreement.ts";
import type { AskedOfEnvoy, EnvoyLane } from "./envoy-lane.ts";
import { explanationOf } from "./explanations.ts";
import { generateSet } from "./generate-set.ts";
import type { Translated } from "./translate.ts";
import { TRAPS } from "./traps.ts";

const CALLS = 20;
/** With how many sets each defect is tried, one round after the other until it is found. */
const ROUNDS = [5, 10, 40];
const APART = 3;
/** Of a defect in one round: where our own translator disagrees, too, the next may tell. */
const TRACES = 5;
/** How many sets are looked through for some that a defect changes. */
const OFFERED = 150;

export interface PlantingOptions {
  readonly seed: number;
  readonly print: (line: string) => void;
}

/** @returns whether all were found */
export async function plantDefects(
  { envoy }: Pick<Lanes, "envoy">,
  { seed, print }: PlantingOptions,
): Promise<boolean> {
  const dice = new Dice(seed);
  const generated = Array.from({ length: OFFERED }, () => generateSet(dice, CALLS));
  const offered: Offered = {
    traps: TRAPS.map((asked) => ({ asked, translated: envoy.translated(asked.set) })),
    generated: generated.map((asked) => ({ asked, translated: envoy.translated(asked.set) })),
  };
  const left = new Map(DEFECTS.map((defect) => [defect, candidates(defect, offered)]));
  for (const most of ROUNDS) {
    if (left.size === 0) break;
    const round = [...left].flatMap(([defect, all]) =>
      all.splice(0, most).map((asked) => planted(asked, defect)),
    );
    for (const defect of await foundIn(round, envoy)) left.delete(defect);
  }
  for (const defect of DEFECTS)
    print(`${left.has(defect) ? "MISSED" : "found "}  planted: ${defect.name}`);
  print(`${DEFECTS.length - left.size} of ${DEFECTS.length} planted defects found`);
  return left.size === 0;
}

interface OfferedSet {
  readonly asked: AskedOfEnvoy;
  readonly translated: Translated;
}

interface Offered {
  readonly traps: readonly OfferedSet[];
  readonly generated: readonly OfferedSet[];
}

interface Planted extends AskedOfEnvoy {
  readonly defect: Defect;
}

/** Sets in which a defect shows at all; by hand and generated in turn. */
function candidates(defect: Defect, { traps, generated }: Offered): AskedOfEnvoy[] {
  const changed = (sets: readonly OfferedSet[]): readonly AskedOfEnvoy[] =>
    sets
      .filter(({ asked }) => defect.isAsked?.(asked) ?? true)
      .filter(({ translated }) => defect.spoil(translated) !== translated)
      .map(({ asked }) => asked);
  const [byHand, byDice] = [apart(changed(traps)), changed(generated)];
  const pairs = byHand.flatMap((trap, index) => [trap, byDice[index]]);
  return [...pairs, ...byDice.slice(byHand.length)].filter((one) => one !== undefined);
}

/** Neighbours are alike: every third first, then those between. */
function apart<Item>(all: readonly Item[]): readonly Item[] {
  return [0, 1, 2].flatMap((offset) => all.filter((_, index) => index % APART === offset));
}

/** A set of its own object, so that answers tell whose they are. */
function planted({ set, calls }: AskedOfEnvoy, defect: Defect): Planted {
  const isWithheld = defect.shows === "while rules are withheld";
  const asked = { defect, set: { ...set }, calls, corrupt: defect.spoil };
  return isWithheld ? { ...asked, withheld: true } : asked;
}

/** @returns those by which verdicts change: where our own translator disagrees too, nothing is found */
async function foundIn(round: readonly Planted[], envoy: EnvoyLane): Promise<ReadonlySet<Defect>> {
  const bySet = new Map(round.map((one) => [one.set, one]));
  const found = new Map<Defect, Answered[]>();
  for (const answer of await compareBatch(round, { envoy, sidecars: [] })) {
    const defect = bySet.get(answer.set)?.defect;
    if (defect === undefined || agreementOf(answer) !== "disagreed") continue;
    const known = found.get(defect) ?? [];
    found.set(defect, known);
    if (explanationOf(answer) === undefined && known.length < TRACES) known.push(answer);
  }
  const entries = [...found].flatMap(([defect, answers]) =>
    answers.map((answer) => [defect, answer] as const),
  );
  const answers = await compareBatch(
    entries.map(([, { set, call }]) => ({
      set,
      calls: [call],
      ...(bySet.get(set)?.withheld && { withheld: true }),
    })),
    { envoy, sidecars: [] },
  );
  const real = entries.filter((_, index) => {
    const answer = answers[index];
    return answer !== undefined && agreementOf(answer) === "agreed";
  });
  return new Set(real.map(([defect]) => defect));
}
