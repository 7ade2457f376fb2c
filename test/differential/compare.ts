/** Puts the same calls to the engine, the embedded sidecar and real Envoy. */
import { authorizeOf } from "./ask-authorize.ts";
import type { Answered } from "./disagreement.ts";
import { type AskedOfEnvoy, type EnvoyLane, inTurns } from "./envoy-lane.ts";
import { LATE, type Outcome } from "./question.ts";
import type { SidecarLane } from "./sidecar-lane.ts";

export interface Lanes {
  readonly envoy: EnvoyLane;
  /** Each takes one set at a time; none: our own data plane is not asked. */
  readonly sidecars: readonly SidecarLane[];
}

/** A machine that is busy with others is no proxy that hangs: what is late once is asked again. */
const TRIES = 3;

export async function compareBatch(
  batch: readonly AskedOfEnvoy[],
  { envoy, sidecars }: Lanes,
): Promise<readonly Answered[]> {
  const [theirs, ours] = await Promise.all([
    inTime(batch, (asked) => envoy.ask(asked)),
    inTime(batch, (asked) => askSidecars(asked, sidecars)),
  ]);
  return batch.flatMap(({ set, calls, withheld }, place) => {
    const engine = withheld ? (): Outcome => WITHHELD : authorizeOf(set);
    return calls.map((call, at): Answered => {
      const outcome = theirs[place]?.[at];
      const sidecar = ours[place]?.[at];
      if (outcome === undefined) throw new Error("a call was not made");
      return { set, call, engine: engine(call), envoy: outcome, ...(sidecar && { sidecar }) };
    });
  });
}

type Outcomes = readonly (readonly Outcome[])[];

/** All calls of a set again, as those of one connection belong together; who is late every time stays so. */
async function inTime(
  batch: readonly AskedOfEnvoy[],
  ask: (batch: readonly AskedOfEnvoy[]) => Promise<Outcomes>,
): Promise<Outcomes> {
  const outcomes = [...(await ask(batch))];
  for (let tries = 1; tries < TRIES; tries++) {
    const places = [...outcomes.keys()].filter((place) => isLate(outcomes[place]));
    if (places.length === 0) break;
    const again = await ask(places.flatMap((place) => batch[place] ?? []));
    places.forEach((place, index) => {
      outcomes[place] = again[index] ?? [];
    });
  }
  return outcomes;
}

function isLate(outcomes: readonly Outcome[] | undefined): boolean {
  return outcomes?.some(({ seen }) => seen === LATE) === true;
}

/** Nobody may be let in by a proxy that does not know its rules. */
const WITHHELD: Outcome = { verdict: "denied", seen: "withheld" };

async function askSidecars(
  batch: readonly AskedOfEnvoy[],
  sidecars: readonly SidecarLane[],
): Promise<Outcomes> {
  const free = [...sidecars];
  if (free.length === 0) return [];
  const ask = async ({ set, calls }: AskedOfEnvoy): Promise<readonly Outcome[]> => {
    const lane = free.pop();
    if (lane === undefined) throw new Error("more sets at once than sidecars");
    const outcomes = await lane.ask(set, calls);
    free.push(lane);
    return outcomes;
  };
  return inTurns(batch, ask, sidecars.length);
}
