/** All that decides who may call one workload, as data: its ports and their modes, the policies in the order they are asked. */
import type { AuthorizationAction, AuthorizationRule } from "../api/authorization-policy.ts";
import type { ResourceRef, SourceLocation } from "../api/resource.ts";
import type { PortProtocol } from "../api/service.ts";
import type { TrafficProtocol } from "./authorization-rule.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import { effectiveRequestAuthentications } from "./effective-policy.ts";
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
  /** CUSTOM, DENY, ALLOW, and AUDIT, which decides nothing, last; each in evaluation order (AP-1, AP-35). */
  readonly policies: readonly DescribedPolicy[];
  /** The issuers of tokens that policies may ask about, in the order of JWT-3. */
  readonly issuers: readonly DescribedIssuer[];
  /** What happens to traffic that no rule matches. */
  readonly otherwise: "allowed" | "denied";
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

export interface DescribedPolicy {
  readonly ref: ResourceRef;
  readonly source: SourceLocation;
  readonly action: AuthorizationAction;
  readonly provider?: string;
  readonly dryRun?: true;
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
    judgedAs: protocol === "auto" ? (["http", "tcp"] as const) : ([protocol] as const),
  }));
  return {
    workload: view.workload,
    injected: workload.injected,
    ports,
    policies: [...custom, ...deny, ...allow, ...audit].map((policy) =>
      describePolicy(policy, ports),
    ),
    issuers: effectiveRequestAuthentications(snapshot, workload).map(({ ref, source, rule }) => ({
      ref,
      source,
      issuer: rule.issuer,
      audiences: rule.audiences,
    })),
    otherwise: allow.some(({ dryRun }) => dryRun !== true) ? "denied" : "allowed",
  };
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
  const { ref, source, action, provider, dryRun, rules } = policy;
  return {
    ref,
    source,
    action,
    ...(provider === undefined ? {} : { provider }),
    ...(dryRun && { dryRun }),
    rules: rules.map((rule, index) => ({
      index,
      source: { file: source.file, line: rule.line },
      sentence: ruleSentence(rule, { action, namespace: ref.namespace }),
      onPorts: ports.flatMap((port) =>
        port.judgedAs.map((judgedAs) =>
          describeEffect(rule, { policy, containerPort: port.containerPort, judgedAs }),
        ),
      ),
    })),
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
