/** Deployment: what to run, as whom, and how often. */
import type { Fields } from "./decoder.ts";
import { type PodTemplate, podTemplate } from "./pod-template.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { labelKeyProblem, labelValueProblem } from "./resource-names.ts";

export interface Deployment {
  readonly kind: "Deployment";
  readonly meta: ResourceMeta;
  readonly replicas: number;
  readonly template: PodTemplate<"Always">;
}

const MAX_REPLICAS = 100;

const UNUSED_SPEC_FIELDS = [
  "minReadySeconds",
  "paused",
  "progressDeadlineSeconds",
  "revisionHistoryLimit",
  "strategy",
];

export function deployment(meta: ResourceMeta, root: Fields): Deployment {
  const spec = root.section("spec");
  const template = podTemplate(spec.section("template"), {
    file: meta.source.file,
    restartPolicies: ["Always"],
  });
  checkSelector(spec, template.labels);
  spec.unused(UNUSED_SPEC_FIELDS);
  const replicas = spec.integer("replicas", { min: 0, max: MAX_REPLICAS }) ?? 1;
  return { kind: "Deployment", meta, replicas, template };
}

/** A Deployment whose selector misses its own pods is refused, as by Kubernetes. */
function checkSelector(spec: Fields, labels: Labels): void {
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
