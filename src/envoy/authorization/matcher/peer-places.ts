/** Under which identities a caller of a rule can be found: whole ones, or beginnings of them. */

import { parseStringMatch } from "../../../api/string-match.ts";
import type { Trust } from "../../../policy/workload-view.ts";
import type { Demand } from "../rule-demands.ts";

export interface PeerPlaces {
  readonly exact: readonly string[];
  readonly prefixes: readonly string[];
  /** What the places alone say; it has not to be asked again there. */
  readonly said: Demand;
  /** Whether an identity of another form than this mesh issues could be meant too. */
  readonly others: boolean;
}

export type Domains = Pick<Trust, "trustDomain" | "trustDomainAliases">;

const SCHEME = "spiffe://";

/** @returns undefined where callers can be anywhere */
export function peerPlaces(demands: readonly Demand[], domains: Domains): PeerPlaces | undefined {
  const places = demands
    .filter(({ wants }) => wants === "one")
    .map((demand) => placesOf(demand, domains))
    .filter((one) => one !== undefined);
  return places.sort((a, b) => rank(a) - rank(b))[0];
}

/** Whole identities are found best; of them, those that leave no others. */
function rank({ prefixes, others }: PeerPlaces): number {
  return (prefixes.length > 0 ? 2 : 0) + (others ? 1 : 0);
}

function placesOf(demand: Demand, domains: Domains): PeerPlaces | undefined {
  switch (demand.subject.about) {
    case "principal":
      return principalPlaces(demand);
    case "service account":
      return ownForm(demand, domains, (domain, account) => {
        const [namespace, name] = account.split("/");
        return { exact: [`${domain}/ns/${namespace}/sa/${name}`], prefixes: [] };
      });
    case "namespace":
      if (demand.values.some((value) => /[*/]/.test(value))) return undefined;
      return ownForm(demand, domains, (domain, namespace) => {
        return { exact: [], prefixes: [`${domain}/ns/${namespace}/`] };
      });
    default:
      return undefined;
  }
}

function principalPlaces(demand: Demand): PeerPlaces | undefined {
  const matches = demand.values.map(parseStringMatch);
  const exact: string[] = [];
  const prefixes: string[] = [];
  for (const match of matches) {
    if (match.kind === "exact") exact.push(SCHEME + match.text);
    else if (match.kind === "prefix") prefixes.push(SCHEME + match.text);
    else return undefined;
  }
  return { exact, prefixes, said: demand, others: false };
}

/** A trust domain called `ns` would be read as the segment before a namespace. */
function ownForm(
  demand: Demand,
  { trustDomain, trustDomainAliases }: Domains,
  placesIn: (domain: string, value: string) => Pick<PeerPlaces, "exact" | "prefixes">,
): PeerPlaces | undefined {
  const domains = [...new Set([trustDomain, ...trustDomainAliases])];
  if (domains.includes("ns")) return undefined;
  const places = domains.flatMap((domain) =>
    demand.values.map((value) => placesIn(SCHEME + domain, value)),
  );
  return {
    exact: places.flatMap(({ exact }) => exact),
    prefixes: places.flatMap(({ prefixes }) => prefixes),
    said: demand,
    others: true,
  };
}
