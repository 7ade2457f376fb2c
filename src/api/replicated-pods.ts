/** What Deployments and StatefulSets have in common: how many pods of a template they keep, and how they know them. */
import type { Fields } from "./decoder.ts";
import type { Labels } from "./resource.ts";
import { labelKeyProblem, labelValueProblem } from "./resource-names.ts";

const MAX_REPLICAS = 100;

/** 0 to 100; 1 when absent. */
export function replicasOf(spec: Fields): number {
  return spec.integer("replicas", { min: 0, max: MAX_REPLICAS }) ?? 1;
}

/** What selects none of the pods it makes is refused, as by Kubernetes. */
export function checkPodSelector(spec: Fields, labels: Labels): void {
  const selector = spec.section("selector");
  const wanted = selector.stringMap("matchLabels", {
    key: labelKeyProblem,
    value: labelValueProblem,
  });
  const expressions = selector.list("matchExpressions");
  if (selector.saysNothing("matchLabels") && selector.saysNothing("matchExpressions")) {
    spec.report("selector", "must select the labels of the template");
  }
  const matchLabels = selector.section("matchLabels");
  for (const [key, value] of Object.entries(wanted)) {
    if (Object.hasOwn(labels, key) && labels[key] === value) continue;
    matchLabels.report(
      key,
      "does not match the labels of the template, so no pod would be selected",
    );
  }
  for (const expression of expressions) checkExpression(expression, labels);
}

function checkExpression(expression: Fields, labels: Labels): void {
  const key = expression.requiredText("key", labelKeyProblem);
  const operators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;
  const operator = expression.choice("operator", operators, "Exists");
  const values = expression.texts("values", labelValueProblem);
  const present = Object.hasOwn(labels, key);
  const listed = present && values.includes(labels[key] ?? "");
  const holds = { In: listed, NotIn: !listed, Exists: present, DoesNotExist: !present };
  if (!holds[operator]) {
    expression.reportHere("does not match the labels of the template, so no pod would be selected");
  }
}
