/** EnvoyFilters whose patches do nothing, or only what another filter lets them do. */
import type { AnalyzedObject } from "../analyzed-object.ts";
import type { Field } from "../field.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";

const RELATIVE = ["INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "REMOVE"];
const REPLACEABLE = ["NETWORK_FILTER", "HTTP_FILTER", "VIRTUAL_HOST"];
const NEVER_ADDED = ["ROUTE_CONFIGURATION", "HTTP_ROUTE"];

export const envoyFilterOperations: Analyzer = {
  name: "envoyfilter.EnvoyPatchAnalyzer",
  about: "EnvoyFilters whose operations are ignored, or depend on others",
  once: true,
  *analyze(mesh) {
    /** Names of what filters for one version of the proxy patch. */
    const versioned: string[] = [];
    for (const filter of mesh.of("EnvoyFilter"))
      for (const patch of filter.spec.at("configPatches").items) {
        if (!patch.at("patch").exists) break;
        yield* judged(filter, patch, versioned);
        if (patch.at("match", "proxy", "proxyVersion").text !== "") versioned.push(nameIn(patch));
      }
  },
};

function* judged(
  filter: AnalyzedObject,
  patch: Field,
  versioned: readonly string[],
): Iterable<Finding> {
  const operation = patch.at("patch", "operation").text;
  const misuse = misuseOf(operation, patch.at("applyTo").text);
  if (misuse !== undefined) yield finding(filter, misuse, [], patch);
  else if (RELATIVE.includes(operation) && (filter.spec.at("priority").number ?? 0) === 0)
    yield finding(filter, versioned.includes(nameIn(patch)) ? "IST0155" : "IST0151", [], patch);
}

function misuseOf(operation: string, applyTo: string): string | undefined {
  if (operation === "ADD" && NEVER_ADDED.includes(applyTo)) return "IST0153";
  if (operation === "REMOVE" && NEVER_ADDED.includes(applyTo)) return "IST0154";
  return operation === "REPLACE" && !REPLACEABLE.includes(applyTo) ? "IST0152" : undefined;
}

function nameIn(patch: Field): string {
  const value = patch.at("patch", "value");
  if (value.size === 0) return "";
  const name = value.at("name");
  if (name.exists) return name.text;
  return patch.at("match", "listener", "filterChain", "filter", "name").text;
}
