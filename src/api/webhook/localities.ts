/** Lists of localities (`region/zone/subzone`, with `*` at the end): none may overlap one before it. */
import { quoted } from "../quoted.ts";

/** Told at most once for a list: istiod stops at the first fault. */
export type ReportLocality = (locality: string, problem: string, item: number) => void;

export function checkLocalities(localities: readonly string[], report: ReportLocality): void {
  const before = new LocalityTree();
  for (const [item, locality] of localities.entries()) {
    const parts = partsOf(locality);
    const problem = localityProblem(locality, parts) ?? before.overlapProblem(parts);
    if (problem !== undefined) {
      report(locality, `${quoted(locality)} ${problem}`, item);
      return;
    }
    before.add(parts);
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

interface Zone {
  /** "whole": as such, or by a `*`. */
  extent: "parts" | "whole";
  readonly subzones: Set<string>;
}

interface Region {
  extent: "parts" | "whole";
  readonly zones: Map<string, Zone>;
}

/** The localities so far: a `*` covers only what comes after it, so that the wider one may be last. */
class LocalityTree {
  readonly #regions = new Map<string, Region>();

  add([name = "", zoneName, subzone]: readonly string[]): void {
    const region = this.#regions.get(name) ?? { extent: "parts", zones: new Map() };
    this.#regions.set(name, region);
    if (zoneName === undefined || zoneName === "*") {
      region.extent = "whole";
      return;
    }
    const zone = region.zones.get(zoneName) ?? { extent: "parts", subzones: new Set() };
    region.zones.set(zoneName, zone);
    if (subzone === undefined || subzone === "*") zone.extent = "whole";
    else zone.subzones.add(subzone);
  }

  overlapProblem(parts: readonly string[]): string | undefined {
    return this.#overlaps(parts) ? "overlaps with one before it" : undefined;
  }

  #overlaps([name = "", zoneName, subzone]: readonly string[]): boolean {
    if (this.#regions.has("*")) return true;
    const region = this.#regions.get(name);
    if (region === undefined) return false;
    if (zoneName === undefined || region.extent === "whole") return true;
    const zone = region.zones.get(zoneName);
    if (zone === undefined) return false;
    return subzone === undefined || zone.extent === "whole" || zone.subzones.has(subzone);
  }
}
