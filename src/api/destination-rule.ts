/**
 * DestinationRule: how clients connect to a service. Of it, TLS is carried; how load is spread is not.
 * Source: https://istio.io/latest/docs/reference/config/networking/destination-rule/
 */
import { type ClientTls, clientTls } from "./client-tls.ts";
import type { Fields } from "./decoder.ts";
import { exportTo } from "./export-to.ts";
import { workloadSelector } from "./label-selector.ts";
import { reportTwice, requiredPort } from "./port-fields.ts";
import { quoted } from "./quoted.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { labelKeyProblem, labelNameProblem, labelValueProblem } from "./resource-names.ts";

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
const MAX_PORTS = 4096;

export function destinationRule(meta: ResourceMeta, root: Fields): DestinationRule {
  const spec = root.section("spec");
  const policy = trafficPolicy(spec, meta.namespace);
  const selector = spec.has("workloadSelector") ? "given" : "absent";
  const workloads = workloadSelector(spec, "workloadSelector");
  const exported = exportTo(spec, meta.namespace);
  if (selector === "given") checkOwnNamespace(spec, { exported, namespace: meta.namespace });
  return {
    kind: "DestinationRule",
    meta,
    host: spec.requiredText("host", hostProblem),
    ...policy,
    subsets: subsetsOf(spec, meta.namespace),
    exportTo: exported,
    ...(selector === "given" ? { workloadSelector: workloads } : {}),
  };
}

type TrafficPolicy = Pick<DestinationRule, "tls" | "portTls">;

/** The `trafficPolicy` of the rule, or of one of its subsets (VAL-65). */
function trafficPolicy(owner: Fields, namespace: string): TrafficPolicy {
  const policy = owner.section("trafficPolicy");
  const ports = policy.list("portLevelSettings");
  policy.unused(UNUSED_POLICIES);
  checkConnectionPool(policy);
  if (owner.has("trafficPolicy") && ports.length === 0 && saysNoneOf(policy, UNUSED_POLICIES)) {
    owner.report("trafficPolicy", "must have at least one field");
  }
  if (ports.length > MAX_PORTS) {
    policy.report("portLevelSettings", `has ${ports.length} items; at most ${MAX_PORTS}`);
  }
  return { tls: tlsOf(policy, namespace), portTls: portTlsOf(ports, namespace) };
}

function portTlsOf(settings: readonly Fields[], namespace: string): ReadonlyMap<number, TlsChoice> {
  const entries = settings.map((setting) => {
    setting.unused(UNUSED_PORT_POLICIES);
    checkConnectionPool(setting);
    if (saysNoneOf(setting, UNUSED_PORT_POLICIES)) {
      setting.reportHere("must have at least one field beside port");
    }
    const port = requiredPort(setting.section("port"), "number");
    return [port, tlsOf(setting, namespace)] as const;
  });
  const portFields = settings.map((setting) => setting.section("port"));
  reportTwice(portFields, { field: "number", values: entries.map(([port]) => port) });
  return new Map(entries);
}

function tlsOf(policy: Fields, namespace: string): TlsChoice {
  policy.accept(["tls"]);
  return policy.has("tls") ? clientTls(policy.section("tls"), namespace) : "automatic";
}

function saysNoneOf(policy: Fields, names: readonly string[]): boolean {
  return [...names, "tls"].every((name) => !policy.has(name));
}

/** Istio refuses it, although it would have no effect here. */
function checkConnectionPool(policy: Fields): void {
  if (policy.has("connectionPool") && policy.saysNothing("connectionPool")) {
    policy.report("connectionPool", "must have at least one field");
  }
}

/** Subsets choose no endpoints here yet; one with TLS of its own must not be taken for one without. */
function subsetsOf(spec: Fields, namespace: string): readonly Subset[] {
  const items = spec.list("subsets");
  if (items.length > 0) spec.unused(["subsets"]);
  const subsets = items.map((item) => {
    trafficPolicy(item, namespace);
    const policy = item.section("trafficPolicy");
    for (const fields of [policy, ...policy.list("portLevelSettings")]) {
      fields.unsupported(["tls"], () => "tls of a subset");
    }
    return {
      name: item.requiredText("name", labelNameProblem),
      labels: item.stringMap("labels", { key: labelKeyProblem, value: labelValueProblem }),
    };
  });
  reportTwice(items, { field: "name", values: subsets.map(({ name }) => name) });
  return subsets;
}

/** VAL-65 */
function checkOwnNamespace(
  spec: Fields,
  { exported, namespace }: { readonly exported: readonly string[]; readonly namespace: string },
): void {
  if (!spec.saysNothing("exportTo") && exported.some((name) => name !== namespace)) {
    spec.report("exportTo", 'must be only "." in a rule with workloadSelector');
  }
}

const MAX_HOST_LENGTH = 255;
const HOST_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i;
const WILDCARD_LABEL = /^\*(-?[a-z0-9]([-a-z0-9]{0,60}[a-z0-9])?)?$/i;

/** A DNS name, full or short, whose first label may begin with `*`; an address is none. */
function hostProblem(host: string): string | undefined {
  if (host === "") return "must not be empty";
  const labels = host.replace(/(?<=.)\.$/, "").split(".");
  const [first = "", ...others] = labels;
  const wellFormed =
    host.length <= MAX_HOST_LENGTH &&
    (HOST_LABEL.test(first) || WILDCARD_LABEL.test(first)) &&
    others.every((label) => HOST_LABEL.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? "");
  return wellFormed ? undefined : `${quoted(host)} is not the name of a host`;
}
