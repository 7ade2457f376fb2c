/**
 * NetworkPolicies and ALLOW policies that contradict each other: what one lets in never gets past the other. Only what
 * is certain is told; whatever depends on a request, or on an address, is taken to be let in.
 */
import type { AuthorizationPolicy, AuthorizationRule } from "../api/authorization-policy.ts";
import { selects } from "../api/label-selector.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyRule } from "../api/network-policy.ts";
import { quoted } from "../api/quoted.ts";
import { formatRef, type Notice } from "../api/resource.ts";
import { selectsSet } from "../api/set-selector.ts";
import { spiffeId } from "../identity/spiffe-id.ts";
import { compileRule, matchesRule } from "./authorization-rule.ts";
import { COMPILATION, ComparisonBudget } from "./comparison-budget.ts";
import { tellNames } from "./name-hint.ts";
import type { KnownPod, NetworkInventory } from "./network-inventory.ts";
import { isMeant, judgeNetworkPolicy, opensPort } from "./network-policy.ts";
import type { NetworkRefusal } from "./workload-view.ts";

/** Fields of `from` that a caller's identity answers: lists of who is let in, and what narrows them. */
const NAMING_FIELDS = ["principals", "namespaces", "serviceAccounts"] as const;
const NARROWING_FIELDS = [
  "notPrincipals",
  "notNamespaces",
  "notServiceAccounts",
  "trustDomains",
  "notTrustDomains",
] as const;

/** Identities that an ALLOW policy lets in, and that NetworkPolicies never let come so far. */
export function unreachableAllowNotices(
  policy: AuthorizationPolicy,
  inventory: NetworkInventory,
  budget: ComparisonBudget = new ComparisonBudget(),
): Notice[] {
  const notices = new Map<string, Notice>();
  const policies = inventory.policies.map(blocksMeanEverybody);
  const context = { policy, policies, inventory, budget };
  for (const [index, rule] of policy.rules.entries()) {
    for (const { value, path, narrowed } of namedIn(rule)) {
      const refusal = refusalOfAll(narrowed, context);
      if (refusal === undefined) continue;
      const message = `${quoted(value)} is let in here, but ${refusalInWords(refusal)}, so that this has no effect; let it through there, or leave it out here`;
      const source = { file: policy.meta.source.file, line: rule.line };
      notices.set(message, { source, path: `spec.rules[${index}].${path}`, message });
    }
  }
  return [...notices.values()];
}

/** Pods for which a NetworkPolicy opens ports, and none that an ALLOW policy lets them call. */
export function unadmittedPeerNotices(
  policy: NetworkPolicy,
  inventory: NetworkInventory,
  budget: ComparisonBudget = new ComparisonBudget(),
): Notice[] {
  if (!policy.directions.includes("ingress")) return [];
  return policy.ingress.flatMap((rule, index) =>
    rule.peers.flatMap((peer, item) => {
      const refused = refusedPairs(peer, { policy, rule, inventory, budget });
      if (refused.length === 0) return [];
      const message = `lets in pods that run as ${accountsOf(refused)}, whom no ALLOW policy of ${portsOf(refused)} admits: the sidecar there refuses them, which may be meant`;
      const source = { file: policy.meta.source.file, line: peer.line };
      return [{ source, path: `spec.ingress[${index}].from[${item}]`, message }];
    }),
  );
}

interface NamedCaller {
  readonly value: string;
  /** Inside the rule. */
  readonly path: string;
  /** The rule, as if it named nobody else. */
  readonly narrowed: AuthorizationRule;
}

function namedIn(rule: AuthorizationRule): NamedCaller[] {
  return rule.from.flatMap((source, index) =>
    NAMING_FIELDS.flatMap((field) =>
      (source[field] ?? []).map((value, item) => ({
        value,
        path: `from[${index}].source.${field}[${item}]`,
        narrowed: { ...rule, from: [{ ...source, [field]: [value] }] },
      })),
    ),
  );
}

interface AllowContext {
  readonly policy: AuthorizationPolicy;
  /** Those of the inventory, as blocks are taken here. */
  readonly policies: readonly NetworkPolicy[];
  readonly inventory: NetworkInventory;
  readonly budget: ComparisonBudget;
}

/** @returns undefined when anybody meant may come through, nobody is meant at all, or it costs too much to say */
function refusalOfAll(
  rule: AuthorizationRule,
  { policy, policies, inventory, budget }: AllowContext,
): NetworkRefusal | undefined {
  if (!budget.spend(COMPILATION * (1 + rule.to.length))) return undefined;
  const admits = compileAdmission(rule, { policy, inventory });
  const asked = portsIn(rule);
  const cost = sizeOf(policies);
  let refusal: NetworkRefusal | undefined;
  for (const target of inventory.pods) {
    if (!isBound(target, { policy, inventory })) continue;
    const ports = new Set([...asked, ...target.peer.ports.map(({ port }) => port)]);
    for (const caller of inventory.pods) {
      for (const port of ports) {
        if (!budget.spend(1)) return undefined;
        if (!admits(caller, port)) continue;
        if (!budget.spend(cost)) return undefined;
        const [source, destination] = [caller.peer, target.peer];
        const connection = { source, destination, port, protocol: "TCP" } as const;
        const judged = judgeNetworkPolicy(policies, connection);
        if (judged === "allowed") return undefined;
        refusal ??= judged;
      }
    }
  }
  return refusal;
}

interface Pair {
  readonly caller: KnownPod;
  readonly target: KnownPod;
  readonly port: number;
}

/** How many entries a connection may be compared with. */
function sizeOf(policies: readonly NetworkPolicy[]): number {
  return policies
    .flatMap(({ ingress, egress }) => [...ingress, ...egress])
    .reduce((size, { peers, ports }) => size + 1 + peers.length + ports.length, 0);
}

/** None as soon as one is admitted: the entry then serves its purpose. None, too, where it costs too much to say. */
function refusedPairs(
  peer: NetworkPolicyPeer,
  {
    policy,
    rule,
    inventory,
    budget,
  }: {
    readonly policy: NetworkPolicy;
    readonly rule: NetworkPolicyRule;
    readonly inventory: NetworkInventory;
    readonly budget: ComparisonBudget;
  },
): readonly Pair[] {
  if (peer.kind === "block" || !budget.spend(inventory.pods.length)) return [];
  const { namespace } = policy.meta;
  const callers = inventory.pods.filter((each) => isMeant(peer, { peer: each.peer, namespace }));
  const pairs: Pair[] = [];
  for (const target of inventory.pods) {
    const { pod, peer: destination } = target;
    if (pod.namespace !== namespace || !selectsSet(policy.podSelector, pod.labels)) continue;
    const cost = rulesOf(inventory.allowPolicies);
    if (!budget.spend(COMPILATION * cost)) return [];
    const admits = admissionOf(target, inventory);
    for (const { port } of destination.ports) {
      if (!opensPort(rule, { destination, port, protocol: "TCP" })) continue;
      for (const caller of callers) {
        if (caller === target) continue;
        if (!budget.spend(cost)) return [];
        if (admits(caller, port)) return [];
        pairs.push({ caller, target, port });
      }
    }
  }
  return pairs;
}

function rulesOf(policies: readonly AuthorizationPolicy[]): number {
  return policies
    .flatMap(({ rules }) => rules)
    .reduce((size, { from, to }) => size + 1 + namesIn(from) + to.length, 0);
}

function namesIn(from: AuthorizationRule["from"]): number {
  return from.reduce(
    (size, source) =>
      NAMING_FIELDS.reduce((all, field) => all + (source[field]?.length ?? 0), size + 1),
    0,
  );
}

type Admission = (caller: KnownPod, port: number) => boolean;

/** Whom the ALLOW policies of a pod let in; everybody where it has none, or no sidecar to obey them. */
function admissionOf(target: KnownPod, inventory: NetworkInventory): Admission {
  const policies = inventory.allowPolicies.filter((policy) =>
    isBound(target, { policy, inventory }),
  );
  if (policies.length === 0 || target.pod.sidecar !== "injected") return () => true;
  const admissions = policies.flatMap((policy) =>
    policy.rules.map((rule) => compileAdmission(rule, { policy, inventory })),
  );
  return (caller, port) => admissions.some((admits) => admits(caller, port));
}

/** What of a rule a caller's identity and the port decide; the rest is taken to match. */
function compileAdmission(
  { from, to, line }: AuthorizationRule,
  {
    policy: { kind, meta },
    inventory,
  }: { readonly policy: AuthorizationPolicy; readonly inventory: NetworkInventory },
): Admission {
  const { settings } = inventory.mesh;
  const certain: AuthorizationRule = {
    from: from.map((source) => pick(source, [...NAMING_FIELDS, ...NARROWING_FIELDS])),
    to: to.map((operation) => pick(operation, ["ports", "notPorts"])),
    when: [],
    line,
  };
  const compiled = compileRule(certain, {
    action: "ALLOW",
    protocol: "tcp",
    trust: { ...settings, rootsPem: [] },
    namespace: meta.namespace,
    ref: {
      policy: { kind, namespace: meta.namespace, name: meta.name },
      rule: 0,
      source: meta.source,
    },
  });
  return ({ pod }, port) => {
    const connection = {
      ...(pod.sidecar !== "none" && {
        principal: spiffeId({ trustDomain: settings.trustDomain, ...pod }),
      }),
      sourceAddress: "",
      sourcePort: 0,
      destinationAddress: "",
      destinationPort: port,
    };
    return matchesRule(compiled, { connection, remoteAddress: "" });
  };
}

function pick<T extends object, Field extends keyof T>(
  from: T,
  fields: readonly Field[],
): Partial<Pick<T, Field>> {
  const picked: Partial<Pick<T, Field>> = {};
  for (const field of fields) if (from[field] !== undefined) picked[field] = from[field];
  return picked;
}

function portsIn({ to }: AuthorizationRule): readonly number[] {
  return to.flatMap(({ ports = [] }) => ports.map(Number));
}

/** Which pods an AuthorizationPolicy binds (AP-10..AP-14). */
function isBound(
  { pod }: KnownPod,
  {
    policy: { meta, selector },
    inventory,
  }: { readonly policy: AuthorizationPolicy; readonly inventory: NetworkInventory },
): boolean {
  const isInScope = [pod.namespace, inventory.mesh.settings.rootNamespace].includes(meta.namespace);
  return isInScope && pod.sidecar !== "none" && selects(selector, pod.labels);
}

/** Which addresses pods will have is not known here. */
function blocksMeanEverybody(policy: NetworkPolicy): NetworkPolicy {
  const widened = (rule: NetworkPolicyRule): NetworkPolicyRule =>
    rule.peers.some(({ kind }) => kind === "block") ? { ...rule, peers: [] } : rule;
  return {
    ...policy,
    ingress: policy.ingress.map(widened),
    egress: policy.egress.map(widened),
  };
}

function refusalInWords({ direction, policies }: NetworkRefusal): string {
  const names = tellNames(policies.map(formatRef));
  return direction === "egress"
    ? `${names} keeps its pods from calling here`
    : `${names} lets none of its pods through to the port`;
}

function accountsOf(pairs: readonly Pair[]): string {
  const accounts = pairs.map(({ caller: { pod } }) => `${pod.namespace}/${pod.serviceAccount}`);
  return tellNames([...new Set(accounts)].sort());
}

function portsOf(pairs: readonly Pair[]): string {
  const ports = [...new Set(pairs.map(({ port }) => port))].sort((a, b) => a - b).map(String);
  return `${ports.length === 1 ? "port" : "ports"} ${tellNames(ports)}`;
}
