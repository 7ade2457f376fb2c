/** All that decides who may call one workload, as data: its ports and their modes, the policies in the order they are asked. */
import type { AuthorizationAction, AuthorizationRule } from "../api/authorization-policy.ts";
import type { ResourceRef, SourceLocation } from "../api/resource.ts";
import type { PortProtocol } from "../api/service.ts";
import type { AppliedAuthorizer } from "./applied-authorizers.ts";
import type { AppliedRateLimit } from "./applied-rate-limits.ts";
import type { TrafficProtocol } from "./authorization-rule.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import { type DescribedCalls, describeCalls } from "./described-calls.ts";
import {
  type DescribedHost,
  type DescribedListener,
  describeGateway,
  describeRoutes,
} from "./described-gateway.ts";
import {
  effectivePeerAuthentication,
  effectiveRequestAuthentications,
} from "./effective-policy.ts";
import { judgedProtocols } from "./judged-protocols.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import type { ServicePortName } from "./route.ts";
import { type RuleOnPort, ruleOnPort } from "./rule-on-port.ts";
import { ruleSentence } from "./rule-sentence.ts";
import { targetContainerPort } from "./service-target.ts";
import type { Workload } from "./workload.ts";
import type { AppliedPolicy, EffectiveMutualTls, WorkloadView } from "./workload-view.ts";

export interface WorkloadDescription {
  readonly workload: WorkloadView["workload"];
  /** Without a sidecar nothing of what follows is enforced. */
  readonly injected: boolean;
  readonly ports: readonly DescribedPort[];
  /** Ports that `portLevelMtls` gives a mode, and no container declares (PA-17). */
  readonly undeclaredPorts: readonly UndeclaredPort[];
  /** CUSTOM, DENY, ALLOW, and AUDIT, which decides nothing, last; each in evaluation order (AP-1, AP-35). */
  readonly policies: readonly DescribedPolicy[];
  /** The issuers of tokens that policies may ask about, in the order of JWT-3. */
  readonly issuers: readonly DescribedIssuer[];
  /** Whom CUSTOM policies ask. */
  readonly authorizers: readonly AppliedAuthorizer[];
  /** All must have room for what is let in. */
  readonly rateLimits: readonly AppliedRateLimit[];
  /** What happens to traffic that no rule matches. */
  readonly otherwise: "allowed" | "denied";
  /** Of the workload's own, where a DestinationRule says how they are spread or limited. */
  readonly calls: readonly DescribedCalls[];
  /** Where VirtualServices lead its own calls. */
  readonly routes: readonly DescribedHost[];
  /** Of a gateway workload alone. */
  readonly gateway?: readonly DescribedListener[];
}

/** One rule of a RequestAuthentication. */
export interface DescribedIssuer {
  readonly ref: ResourceRef;
  readonly source: SourceLocation;
  /** "" stands for any (JWT-17). */
  readonly issuer: string;
  /** Empty: any. */
  readonly audiences: readonly string[];
}

export interface DescribedPort {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  readonly services: readonly ServicePortName[];
  readonly mutualTls: EffectiveMutualTls;
  /** A port of undeclared protocol is judged as either, by what arrives. */
  readonly judgedAs: readonly TrafficProtocol[];
}

export interface UndeclaredPort {
  readonly containerPort: number;
  readonly mutualTls: EffectiveMutualTls;
}

export interface DescribedPolicy {
  readonly ref: ResourceRef;
  readonly source: SourceLocation;
  readonly action: AuthorizationAction;
  readonly provider?: string;
  readonly dryRun?: true;
  /** It has rules, and none of them can match on any port that is declared. */
  readonly matchesNothing?: true;
  readonly rules: readonly DescribedRule[];
}

export interface DescribedRule {
  /** From 0. */
  readonly index: number;
  readonly source: SourceLocation;
  readonly sentence: string;
  /** One for each port and each way it is judged. */
  readonly onPorts: readonly DescribedEffect[];
}

export interface DescribedEffect {
  readonly containerPort: number;
  readonly judgedAs: TrafficProtocol;
  readonly effect: RuleOnPort["effect"];
  /** Conditions that cannot be asked on the port; empty where there are none. */
  readonly httpFields: readonly string[];
  /** What the rule says there, where that is other than what is written. */
  readonly sentence?: string;
}

export function describeWorkload(snapshot: MeshSnapshot, workload: Workload): WorkloadDescription {
  const view = buildWorkloadView(snapshot, workload);
  const { custom, deny, allow, audit } = view.inbound.authorization;
  const ports = view.inbound.ports.map(({ containerPort, protocol, mutualTls }) => ({
    containerPort,
    protocol,
    services: servicesOf(snapshot, { workload, containerPort }),
    mutualTls,
    judgedAs: judgedProtocols(protocol),
  }));
  return {
    workload: view.workload,
    injected: workload.injected,
    ports,
    undeclaredPorts: undeclaredPorts(snapshot, workload),
    policies: [...custom, ...deny, ...allow, ...audit].map((policy) =>
      describePolicy(policy, ports),
    ),
    issuers: effectiveRequestAuthentications(snapshot, workload).map(({ ref, source, rule }) => ({
      ref,
      source,
      issuer: rule.issuer,
      audiences: rule.audiences,
    })),
    authorizers: view.inbound.authorizers ?? [],
    rateLimits: view.inbound.rateLimits ?? [],
    otherwise: allow.some(({ dryRun }) => dryRun !== true) ? "denied" : "allowed",
    calls: workload.injected ? describeCalls(view.outbound.destinations) : [],
    routes: workload.injected ? describeRoutes(view.outbound) : [],
    ...(view.gateway && { gateway: describeGateway(view.gateway) }),
  };
}

function undeclaredPorts(snapshot: MeshSnapshot, workload: Workload): UndeclaredPort[] {
  const declared = new Set(workload.ports.map(({ containerPort }) => containerPort));
  return [...effectivePeerAuthentication(snapshot, workload).ports]
    .filter(([containerPort]) => !declared.has(containerPort))
    .map(([containerPort, mutualTls]) => ({ containerPort, mutualTls }));
}

function servicesOf(
  { servicesByNamespace }: MeshSnapshot,
  { workload, containerPort }: { readonly workload: Workload; readonly containerPort: number },
): ServicePortName[] {
  return (servicesByNamespace.get(workload.namespace) ?? [])
    .filter(({ workloads }) => workloads.includes(workload))
    .flatMap(({ service: { meta, ports } }) =>
      ports
        .filter((port) => targetContainerPort(port, workload)?.containerPort === containerPort)
        .map((port) => ({
          serviceNamespace: meta.namespace,
          serviceName: meta.name,
          servicePort: port.port,
        })),
    );
}

function describePolicy(policy: AppliedPolicy, ports: readonly DescribedPort[]): DescribedPolicy {
  const { ref, source, action, provider, dryRun } = policy;
  const rules = policy.rules.map((rule, index) => describeRule(rule, { index, policy, ports }));
  return {
    ref,
    source,
    action,
    ...(provider === undefined ? {} : { provider }),
    ...(dryRun && { dryRun }),
    ...(matchesNothing(rules) && { matchesNothing: true }),
    rules,
  };
}

function matchesNothing(rules: readonly DescribedRule[]): boolean {
  const effects = rules.flatMap(({ onPorts }) => onPorts.map(({ effect }) => effect));
  return effects.length > 0 && effects.every((effect) => NOWHERE.includes(effect));
}

const NOWHERE: readonly RuleOnPort["effect"][] = ["never", "other-port"];

function describeRule(
  rule: AuthorizationRule,
  {
    index,
    policy,
    ports,
  }: {
    readonly index: number;
    readonly policy: AppliedPolicy;
    readonly ports: readonly DescribedPort[];
  },
): DescribedRule {
  const { action, source, ref } = policy;
  return {
    index,
    source: { file: source.file, line: rule.line },
    sentence: ruleSentence(rule, { action, namespace: ref.namespace }),
    onPorts: ports.flatMap(({ containerPort, judgedAs }) =>
      judgedAs.map((each) => describeEffect(rule, { policy, containerPort, judgedAs: each })),
    ),
  };
}

function describeEffect(
  rule: AuthorizationRule,
  {
    policy: { action, ref },
    containerPort,
    judgedAs,
  }: {
    readonly policy: AppliedPolicy;
    readonly containerPort: number;
    readonly judgedAs: TrafficProtocol;
  },
): DescribedEffect {
  const there = ruleOnPort(rule, { action, port: { containerPort, protocol: judgedAs } });
  return {
    containerPort,
    judgedAs,
    effect: there.effect,
    httpFields: "httpFields" in there ? there.httpFields : [],
    ...(there.effect === "widened" && {
      sentence: ruleSentence(there.rule, { action, namespace: ref.namespace }),
    }),
  };
}
