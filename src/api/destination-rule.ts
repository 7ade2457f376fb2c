/**
 * DestinationRule: how clients connect to a service. Subsets are read, and chosen by nobody yet.
 * What Istio itself refuses, `webhook/destination-rule.ts` and the schema have told already.
 * Source: https://istio.io/latest/docs/reference/config/networking/destination-rule/
 */
import type { Fields } from "./decoder.ts";
import { exportTo } from "./export-to.ts";
import { workloadSelector } from "./label-selector.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { type TrafficPolicy, trafficPolicy } from "./traffic-policy.ts";

export interface DestinationRule {
  readonly kind: "DestinationRule";
  readonly meta: ResourceMeta;
  /** A host as written: a short name, a full one, or with `*` as its first label. */
  readonly host: string;
  /** Absent where none is written: that of a later rule for the same host counts then (TLS-41). */
  readonly trafficPolicy?: TrafficPolicy;
  readonly subsets: readonly Subset[];
  /** Namespaces of the clients it is for; ["*"] for all (TLS-41). */
  readonly exportTo: readonly string[];
  /** Clients it is for; absent: all. */
  readonly workloadSelector?: Labels;
}

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
    subsets: subsetsOf(spec, whole.trafficPolicy),
    exportTo: exportTo(spec, meta.namespace),
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

/** Subsets choose no endpoints here yet; one with TLS other than the rule's must not be taken for one without. */
function subsetsOf(spec: Fields, whole: TrafficPolicy | undefined): readonly Subset[] {
  const items = spec.list("subsets");
  if (items.length > 0) spec.unused(["subsets"]);
  return items.map((item) => {
    const own = policyOf(item);
    const policy = item.section("trafficPolicy");
    refuseOtherTls(policy, own.trafficPolicy?.tls, whole?.tls);
    const ports = [...(own.trafficPolicy?.ports ?? [])];
    for (const [index, setting] of policy.list("portLevelSettings").entries()) {
      const [port = 0, ofPort] = ports[index] ?? [];
      refuseOtherTls(setting, ofPort?.tls, (whole?.ports.get(port) ?? whole)?.tls);
    }
    return { name: item.text("name") ?? "", labels: item.stringMap("labels"), ...own };
  });
}

function refuseOtherTls(
  policy: Fields,
  own: TrafficPolicy["tls"],
  whole: TrafficPolicy["tls"],
): void {
  if (JSON.stringify(own) === JSON.stringify(whole)) return;
  policy.unsupported(["tls"], () => "tls of a subset");
}
