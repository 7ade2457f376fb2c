/** What a patch of an EnvoyFilter is for: the object it changes and the match that finds it must be of one class. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { currentFilterName } from "./envoy-filter-names.ts";
import { textIn } from "./written-values.ts";

const CONNECTION_MANAGERS = [
  "envoy.filters.network.http_connection_manager",
  "envoy.http_connection_manager",
];
/** A match has one of them, and the class of what is changed says which. Of several, Istio reads the last. */
const MATCHES = ["listener", "routeConfiguration", "cluster", "waypoint"];
const MATCH_OF_OBJECT: ReadonlyMap<string, string> = new Map([
  ["LISTENER", "listener"],
  ["FILTER_CHAIN", "listener"],
  ["NETWORK_FILTER", "listener"],
  ["HTTP_FILTER", "listener"],
  ["ROUTE_CONFIGURATION", "routeConfiguration"],
  ["VIRTUAL_HOST", "routeConfiguration"],
  ["HTTP_ROUTE", "routeConfiguration"],
  ["CLUSTER", "cluster"],
]);

/** @returns "refused" when istiod looks no further at this patch */
export function checkPatchMatch(configPatch: Fields): "accepted" | "refused" {
  const applyTo = textIn(configPatch, "applyTo");
  const match = configPatch.section("match");
  const expected = MATCH_OF_OBJECT.get(applyTo);
  const given = MATCHES.findLast((name) => match.has(name));
  if (expected === undefined || given === undefined) return "accepted";
  if (given !== expected) {
    match.report(given, `does not match ${applyTo}; expected ${expected}`);
    return expected === "listener" ? "refused" : "accepted";
  }
  if (expected !== "listener") return "accepted";
  const chain = match.section("listener").section("filterChain");
  return chain.has("filter") ? checkFilterMatch(chain, applyTo) : "accepted";
}

function checkFilterMatch(chain: Fields, applyTo: string): "accepted" | "refused" {
  if (applyTo === "LISTENER" || applyTo === "FILTER_CHAIN") {
    chain.notice("filter", `has no effect with applyTo ${applyTo}`);
  }
  const filter = chain.section("filter");
  const problem = filterProblem(filter, applyTo);
  if (problem !== undefined) {
    filter.report(problem.field, problem.text);
    return "refused";
  }
  warnOfOldName(filter);
  warnOfOldName(filter.section("subFilter"));
  return "accepted";
}

interface FilterProblem {
  readonly field: "name" | "subFilter";
  readonly text: string;
}

function filterProblem(filter: Fields, applyTo: string): FilterProblem | undefined {
  const name = textIn(filter, "name");
  if (name === "") return { field: "name", text: "is missing" };
  if (!filter.has("subFilter")) return undefined;
  if (applyTo !== "HTTP_FILTER") {
    return { field: "subFilter", text: "is for applyTo HTTP_FILTER only" };
  }
  if (!CONNECTION_MANAGERS.includes(name)) {
    return { field: "subFilter", text: `needs a filter named ${CONNECTION_MANAGERS[0]}` };
  }
  if (textIn(filter.section("subFilter"), "name") !== "") return undefined;
  return { field: "subFilter", text: "must have a name" };
}

function warnOfOldName(filter: Fields): void {
  const name = textIn(filter, "name");
  const current = currentFilterName(name);
  if (current !== undefined) filter.notice("name", `${quoted(name)} is now named ${current}`);
}
