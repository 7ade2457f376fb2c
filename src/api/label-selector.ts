/** Which workloads a resource is for: all labels of the selector, exact key and value (AP-12). */
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import type { Labels } from "./resource.ts";

/** An empty selector selects everything; whether that is wanted is the caller's matter (a Service's selects nothing). */
export function selects(selector: Labels, labels: Labels): boolean {
  for (const key of Object.keys(selector)) {
    if (!Object.hasOwn(labels, key) || labels[key] !== selector[key]) return false;
  }
  return true;
}

/** Where an Istio resource's `spec` says which workloads it is for. */
export type SelectorField = "selector" | "workloadSelector";

/** Reads `matchLabels` of the selector at `field` of an Istio resource's `spec`. */
export function workloadSelector(spec: Fields, field: SelectorField = "selector"): Labels {
  return spec.section(field).stringMap("matchLabels");
}

/** What istiod's webhook demands of that selector, and what it warns of (VAL-3, VAL-4). */
export function checkWorkloadSelector(spec: Fields, field: SelectorField = "selector"): void {
  const selector = spec.section(field);
  selector.stringMap("matchLabels", { key: keyProblem, value: valueProblem });
  if (spec.has(field) && selector.saysNothing("matchLabels")) {
    spec.notice(field, "has no labels, so it selects every workload in scope");
  }
}

function keyProblem(key: string): string | undefined {
  if (key === "") return "must not be an empty key";
  return key.includes("*") ? "has a wildcard, which is not supported in a selector" : undefined;
}

function valueProblem(value: string): string | undefined {
  return value.includes("*")
    ? `${quoted(value)} has a wildcard, which is not supported in a selector`
    : undefined;
}
