/** Asks again what nobody answered in time, and loses nothing of what was seen before. */
import { LATE, type Outcome } from "./question.ts";

export type Outcomes = readonly (readonly Outcome[])[];

/** A machine that is busy with others is no proxy that hangs: what is late once is asked again. */
const TRIES = 3;

/**
 * All calls of a set again, as those of one connection belong together; who is late every time stays so.
 *
 * @returns for each of the batch, the outcomes in the order of its calls
 */
export async function askInTime<Asked>(
  batch: readonly Asked[],
  ask: (batch: readonly Asked[]) => Promise<Outcomes>,
): Promise<Outcomes> {
  const outcomes = [...(await ask(batch))];
  for (let tries = 1; tries < TRIES; tries++) {
    const places = [...outcomes.keys()].filter((place) => outcomes[place]?.some(isLate));
    if (places.length === 0) break;
    const again = await ask(places.flatMap((place) => batch[place] ?? []));
    places.forEach((place, index) => {
      outcomes[place] = merged(outcomes[place] ?? [], again[index] ?? []);
    });
  }
  return outcomes;
}

/** Who got in once got in, whatever comes of it later; and what was seen is not undone by what was not. */
function merged(before: readonly Outcome[], after: readonly Outcome[]): readonly Outcome[] {
  return before.map((earlier, at) => {
    const later = after[at];
    if (later === undefined || earlier.verdict === "allowed") return earlier;
    return isLate(later) ? earlier : later;
  });
}

function isLate({ seen }: Outcome): boolean {
  return seen === LATE;
}
