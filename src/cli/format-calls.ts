/** What ServiceEntries and DestinationRules say of a workload's own calls, as people read it. */
import { formatLocation, formatRef } from "../api/resource.ts";
import type { DescribedCalls } from "../policy/described-calls.ts";

/** A rule for many hosts is not about each of them. */
const MOST_NAMED = 4;

/** @returns none where no rule says anything */
export function formatCalls(calls: readonly DescribedCalls[]): readonly string[] {
  if (calls.length === 0) return [];
  return [
    "",
    "Calls it makes, where a ServiceEntry or DestinationRule says how:",
    ...calls.flatMap(callsInWords),
  ];
}

function callsInWords({ to, origin, sentences }: DescribedCalls): readonly string[] {
  const named = to.slice(0, MOST_NAMED).map(({ host, servicePort }) => `${host}:${servicePort}`);
  const more = to.length - named.length;
  const hosts = [...named, ...(more > 0 ? [`and ${more} more`] : [])].join(", ");
  return [
    "",
    `  to ${hosts}, by ${formatRef(origin.ref)} (${formatLocation(origin.source)})`,
    ...sentences.map((sentence) => `    ${sentence}`),
  ];
}
