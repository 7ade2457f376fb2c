/** Puts translators with known defects in the place of ours: a suite that does not find them finds nothing. */
import { Dice } from "../kit/dice.ts";
import { compareBatch, type Lanes } from "./compare.ts";
import type { Defect } from "./defects/defect.ts";
import { DEFECTS } from "./defects/defects.ts";
import { type Answered, agreementOf } from "./disagreement.ts";
import type { AskedOfEnvoy, EnvoyLane } from "./envoy-lane.ts";
import { generateSet } from "./generate-set.ts";
import { TRAPS } from "./traps.ts";

const CALLS = 20;
/** Sets with which each defect is tried, of those that it changes; traps among them. */
const TRIED = 24;
const TRIED_TRAPS = 8;
/** How many sets are looked through for those. */
const OFFERED = 150;
/** Sets of one Envoy. */
const AT_ONCE = 200;

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
  const offered = Array.from({ length: OFFERED }, () => generateSet(dice, CALLS));
  const planted = DEFECTS.flatMap((defect) => candidates(defect, offered, envoy));
  const found = new Map<Defect, Answered>();
  for (let from = 0; from < planted.length; from += AT_ONCE) {
    const part = planted.slice(from, from + AT_ONCE);
    const answers = await compareBatch(part, { envoy, sidecars: [] });
    const bySet = new Map(part.map((one) => [one.set, one.defect]));
    for (const answer of answers) {
      const defect = bySet.get(answer.set);
      if (defect !== undefined && agreementOf(answer) === "disagreed" && !found.has(defect))
        found.set(defect, answer);
    }
  }
  const real = await disagreeingOnlyThen(found, envoy);
  for (const defect of DEFECTS)
    print(`${real.has(defect) ? "found " : "MISSED"}  planted: ${defect.name}`);
  print(`${real.size} of ${DEFECTS.length} planted defects found`);
  return real.size === DEFECTS.length;
}

interface Planted extends AskedOfEnvoy {
  readonly defect: Defect;
}

/** Each a set of its own object, so that answers tell whose they are. */
function candidates(
  defect: Defect,
  offered: readonly AskedOfEnvoy[],
  envoy: EnvoyLane,
): readonly Planted[] {
  const corrupt = defect.spoil;
  const changed = (one: AskedOfEnvoy): boolean => envoy.changes(one.set, corrupt);
  const isWithheld = defect.shows === "while rules are withheld";
  const traps = spread(TRAPS.filter(changed), TRIED_TRAPS);
  const generated = offered.filter(changed).slice(0, TRIED - traps.length);
  return [...traps, ...generated].map(({ set, calls }) => ({
    defect,
    set: { ...set },
    calls,
    corrupt,
    ...(isWithheld && { withheld: true }),
  }));
}

/** So many of all, from its beginning to its end. */
function spread<Item>(all: readonly Item[], most: number): readonly Item[] {
  const step = Math.max(1, Math.floor(all.length / most));
  return all.filter((_, index) => index % step === 0).slice(0, most);
}

/** Where our own translator disagrees too, it is not the defect that was found. */
async function disagreeingOnlyThen(
  found: ReadonlyMap<Defect, Answered>,
  envoy: EnvoyLane,
): Promise<ReadonlySet<Defect>> {
  const entries = [...found];
  const answers = await compareBatch(
    entries.map(([{ shows }, { set, call }]) => ({
      set,
      calls: [call],
      ...(shows === "while rules are withheld" && { withheld: true }),
    })),
    { envoy, sidecars: [] },
  );
  const real = entries.filter((_, index) => {
    const answer = answers[index];
    return answer !== undefined && agreementOf(answer) === "agreed";
  });
  return new Set(real.map(([defect]) => defect));
}
