/** Lists of localities (`region/zone/subzone`, with `*` at the end): none may overlap one before it. */
import { quoted } from "../quoted.ts";

/** Told at most once for a list: istiod stops at the first fault. */
export type ReportLocality = (locality: string, problem: string, item: number) => void;

export function checkLocalities(localities: readonly string[], report: ReportLocality): void {
  const before: string[][] = [];
  for (const [item, locality] of localities.entries()) {
    const parts = partsOf(locality);
    const problem = localityProblem(locality, parts) ?? overlapProblem(parts, before);
    if (problem !== undefined) {
      report(locality, `${quoted(locality)} ${problem}`, item);
      return;
    }
    before.push(parts);
  }
}

/** At most three: what follows the second slash is the subzone. */
function partsOf(locality: string): string[] {
  const [region = "", zone, ...rest] = locality.split("/");
  if (zone === undefined) return [region];
  return rest.length === 0 ? [region, zone] : [region, zone, rest.join("/")];
}

function localityProblem(locality: string, parts: readonly string[]): string | undefined {
  const star = locality.indexOf("*");
  if (star >= 0 && star !== locality.length - 1) return 'has a "*" that is not at its end';
  return parts.includes("") ? "has an empty region, zone or subzone" : undefined;
}

function overlapProblem(
  parts: readonly string[],
  before: readonly (readonly string[])[],
): string | undefined {
  return before.some((other) => overlaps(parts, other)) ? "overlaps with one before it" : undefined;
}

/** A `*` covers only what comes after it: the wider one may be last. */
function overlaps(
  [region, zone, subzone]: readonly string[],
  [otherRegion, otherZone, otherSubzone]: readonly string[],
): boolean {
  if (otherRegion === "*") return true;
  if (region !== otherRegion) return false;
  if (zone === undefined || otherZone === undefined || otherZone === "*") return true;
  if (zone !== otherZone) return false;
  if (subzone === undefined || otherSubzone === undefined || otherSubzone === "*") return true;
  return subzone === otherSubzone;
}
