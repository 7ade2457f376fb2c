/**
 * DestinationRule: how clients connect to a service. Of it, TLS is carried; how load is spread is not.
 * What Istio itself refuses, `webhook/destination-rule.ts` and the schema have told already.
 * Source: https://istio.io/latest/docs/reference/config/networking/destination-rule/
 */
import { type ClientTls, clientTls } from "./client-tls.ts";
import type { Fields } from "./decoder.ts";
import { exportTo } from "./export-to.ts";
import { workloadSelector } from "./label-selector.ts";
import { reportTwice, requiredPort } from "./port-fields.ts";
import type { Labels, ResourceMeta } from "./resource.ts";

export interface DestinationRule {
  readonly kind: "DestinationRule";
  readonly meta: ResourceMeta;
  /** A host as written: a short name, a full one, or with `*` as its first label. */
  readonly host: string;
  readonly tls: TlsChoice;
  /** By service port; an entry counts instead of `tls`, also when it is "automatic" (TLS-42). */
  readonly portTls: ReadonlyMap<number, TlsChoice>;
  readonly subsets: readonly Subset[];
  /** Namespaces of the clients it is for; ["*"] for all (TLS-41). */
  readonly exportTo: readonly string[];
  /** Clients it is for; absent: all. */
  readonly workloadSelector?: Labels;
}

/** "automatic" when the rule does not say: auto-mTLS decides (TLS-20..TLS-28). */
export type TlsChoice = ClientTls | "automatic";

export interface Subset {
  readonly name: string;
  readonly labels: Labels;
}

const UNUSED_PORT_POLICIES = ["connectionPool", "loadBalancer", "outlierDetection"];
const UNUSED_POLICIES = [...UNUSED_PORT_POLICIES, "proxyProtocol", "retryBudget", "tunnel"];

export function destinationRule(meta: ResourceMeta, root: Fields): DestinationRule {
  const spec = root.section("spec");
  const policy = trafficPolicy(spec);
  return {
    kind: "DestinationRule",
    meta,
    host: spec.text("host") ?? "",
    ...policy,
    subsets: subsetsOf(spec, policy),
    exportTo: exportTo(spec, meta.namespace),
    ...(spec.has("workloadSelector")
      ? { workloadSelector: workloadSelector(spec, "workloadSelector") }
      : {}),
  };
}

type TrafficPolicy = Pick<DestinationRule, "tls" | "portTls">;

/** The `trafficPolicy` of the rule, or of one of its subsets. */
function trafficPolicy(owner: Fields): TrafficPolicy {
  const policy = owner.section("trafficPolicy");
  policy.unused(UNUSED_POLICIES);
  return { tls: tlsOf(policy), portTls: portTlsOf(policy.list("portLevelSettings")) };
}

/** Istio accepts a port without a number, and one given twice; which of them counts nobody could say. */
function portTlsOf(settings: readonly Fields[]): ReadonlyMap<number, TlsChoice> {
  const entries = settings.map((setting) => {
    setting.unused(UNUSED_PORT_POLICIES);
    const port = requiredPort(setting.section("port"), "number");
    return [port, tlsOf(setting)] as const;
  });
  const portFields = settings.map((setting) => setting.section("port"));
  reportTwice(portFields, { field: "number", values: entries.map(([port]) => port) });
  return new Map(entries);
}

function tlsOf(policy: Fields): TlsChoice {
  policy.accept(["tls"]);
  return policy.has("tls") ? clientTls(policy.section("tls")) : "automatic";
}

/** Subsets choose no endpoints here yet; one with TLS other than the rule's must not be taken for one without. */
function subsetsOf(spec: Fields, whole: TrafficPolicy): readonly Subset[] {
  const items = spec.list("subsets");
  if (items.length > 0) spec.unused(["subsets"]);
  return items.map((item) => {
    const { tls, portTls } = trafficPolicy(item);
    const policy = item.section("trafficPolicy");
    if (!isSameTls(tls, whole.tls)) policy.unsupported(["tls"], () => "tls of a subset");
    const ports = [...portTls];
    for (const [index, setting] of policy.list("portLevelSettings").entries()) {
      const [port = 0, ofPort = "automatic"] = ports[index] ?? [];
      if (isSameTls(ofPort, whole.portTls.get(port) ?? whole.tls)) continue;
      setting.unsupported(["tls"], () => "tls of a subset");
    }
    return { name: item.text("name") ?? "", labels: item.stringMap("labels") };
  });
}

function isSameTls(one: TlsChoice, other: TlsChoice): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
