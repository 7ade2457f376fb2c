/** The next step for a name that nothing has: the one that was probably meant, or those there are. */
import { closestName } from "../api/closest-name.ts";

const MAX_NAMES_TOLD = 5;

export interface HintOptions {
  /** May hold a name several times. */
  readonly known: readonly string[];
  /** The form in which a name is told; absent: as it is. */
  readonly inForm?: (name: string) => string;
  /** What to say where no known name is close, given them as text. */
  readonly otherwise: (names: string) => string;
}

export function nameHint(
  written: string,
  { known, inForm = (name) => name, otherwise }: HintOptions,
): string {
  const names = [...new Set(known)].sort();
  const meant = closestName(written, names);
  return meant === undefined ? otherwise(tellNames(names)) : `did you mean ${inForm(meant)}?`;
}

/** "a, b and 3 more"; "none" where there are none. */
export function tellNames(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const more = names.length - MAX_NAMES_TOLD;
  const told = names.slice(0, MAX_NAMES_TOLD).join(", ");
  return more > 0 ? `${told} and ${more} more` : told;
}
