/**
 * Kubernetes' label selectors: labels that must be equal, and expressions over sets of values. All of them must hold.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
import type { Fields } from "./decoder.ts";
import { selects } from "./label-selector.ts";
import type { Labels } from "./resource.ts";
import { labelKeyProblem, labelValueProblem } from "./resource-names.ts";

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;
export type LabelOperator = (typeof OPERATORS)[number];

/** One of `matchExpressions`. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Empty for `Exists` and `DoesNotExist`. */
  readonly values: readonly string[];
}

/** Selects everything when both parts are empty. */
export interface SetSelector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly LabelRequirement[];
}

/** Whether labels meet every demand of a selector; `NotIn` is also met by a key that is not there. */
export function selectsSet(
  { matchLabels, matchExpressions }: SetSelector,
  labels: Labels,
): boolean {
  return (
    selects(matchLabels, labels) &&
    matchExpressions.every((requirement) => meets(requirement, labels))
  );
}

/** Reads a selector at the field of that name; one that is absent selects everything. */
export function setSelector(parent: Fields, field: string): SetSelector {
  const selector = parent.section(field);
  return {
    matchLabels: selector.stringMap("matchLabels", {
      key: labelKeyProblem,
      value: labelValueProblem,
    }),
    matchExpressions: selector.list("matchExpressions").map(labelRequirement),
  };
}

/** `app: api, tier In (web, cache), !legacy`, as `kubectl` writes it; "everything" for an empty selector. */
export function formatSetSelector({ matchLabels, matchExpressions }: SetSelector): string {
  const parts = [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}: ${value}`),
    ...matchExpressions.map(formatRequirement),
  ];
  return parts.length === 0 ? "everything" : parts.join(", ");
}

function meets({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const present = Object.hasOwn(labels, key);
  const listed = present && values.includes(labels[key] ?? "");
  switch (operator) {
    case "In":
      return listed;
    case "NotIn":
      return !listed;
    case "Exists":
      return present;
    case "DoesNotExist":
      return !present;
  }
}

function labelRequirement(fields: Fields): LabelRequirement {
  const key = fields.requiredText("key", labelKeyProblem);
  if (!fields.has("operator")) fields.report("operator", `is missing; ${EXPECTED}`);
  const operator = fields.choice("operator", OPERATORS, "Exists");
  const values = fields.texts("values", labelValueProblem);
  const wantsValues = operator === "In" || operator === "NotIn";
  if (wantsValues && fields.saysNothing("values")) {
    fields.report("values", `must not be empty with operator ${operator}`);
  }
  if (!wantsValues && fields.has("operator") && !fields.saysNothing("values")) {
    fields.report("values", `must be left out with operator ${operator}`);
  }
  return { key, operator, values };
}

const EXPECTED = `expected one of ${OPERATORS.join(", ")}`;

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return `${key} ${operator} (${values.join(", ")})`;
  }
}
