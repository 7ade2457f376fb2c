/**
 * DestinationRule: how clients connect to a service, and to those of its endpoints that routes call a subset.
 * What Istio itself refuses, `webhook/destination-rule.ts` and the schema have told already.
 * Source: https://istio.io/latest/docs/reference/config/networking/destination-rule/
 */
import type { Fields } from "./decoder.ts";
import { type Exported, exported } from "./export-to.ts";
import { workloadSelector } from "./label-selector.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { type TrafficPolicy, trafficPolicy } from "./traffic-policy.ts";

export interface DestinationRule extends Exported {
  readonly kind: "DestinationRule";
  readonly meta: ResourceMeta;
  /** A host as written: a short name, a full one, or with `*` as its first label. */
  readonly host: string;
  /** Absent where none is written: that of a later rule for the same host counts then (TLS-41). */
  readonly trafficPolicy?: TrafficPolicy;
  readonly subsets: readonly Subset[];
  /** Clients it is for; absent: all. */
  readonly workloadSelector?: Labels;
}

/** Called only where a route names it. */
export interface Subset {
  readonly name: string;
  readonly labels: Labels;
  readonly trafficPolicy?: TrafficPolicy;
}

export function destinationRule(meta: ResourceMeta, root: Fields): DestinationRule {
  const spec = root.section("spec");
  const whole = policyOf(spec);
  return {
    kind: "DestinationRule",
    meta,
    host: spec.text("host") ?? "",
    ...whole,
    subsets: subsetsOf(spec),
    ...exported(spec, meta.namespace),
    ...(spec.has("workloadSelector")
      ? { workloadSelector: workloadSelector(spec, "workloadSelector") }
      : {}),
  };
}

/** Of the rule, or of one of its subsets. */
function policyOf(owner: Fields): Pick<DestinationRule, "trafficPolicy"> {
  owner.accept(["trafficPolicy"]);
  return owner.has("trafficPolicy") ? { trafficPolicy: trafficPolicy(owner) } : {};
}

function subsetsOf(spec: Fields): readonly Subset[] {
  return spec.list("subsets").map((item) => ({
    name: item.text("name") ?? "",
    labels: item.stringMap("labels"),
    ...policyOf(item),
  }));
}
