/** Selectors of labels as webhooks write them. Source: LabelSelector of Kubernetes' meta/v1. */
import type { Labels } from "../api/resource.ts";
import { selects } from "./analyzed-mesh.ts";
import type { Field } from "./field.ts";

/** An absent selector takes everything. */
export function selectorTakes(selector: Field, labels: Labels): boolean {
  if (!selector.exists) return true;
  const isMatched = selects(selector.at("matchLabels").labels, labels);
  return isMatched && selector.at("matchExpressions").items.every((one) => holds(one, labels));
}

function holds(expression: Field, labels: Labels): boolean {
  const value = labels[expression.at("key").text];
  const values = expression.at("values").texts;
  switch (expression.at("operator").text) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return false;
  }
}
