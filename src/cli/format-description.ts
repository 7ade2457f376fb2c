/** A workload's description as people read it: ports, policies in the order they are asked, each rule as a sentence. */
import { formatLocation, formatRef } from "../api/resource.ts";
import type { Origin } from "../policy/decision.ts";
import type {
  DescribedEffect,
  DescribedIssuer,
  DescribedPolicy,
  DescribedPort,
  DescribedRule,
  UndeclaredPort,
  WorkloadDescription,
} from "../policy/describe-workload.ts";
import type { ServicePortName } from "../policy/route.ts";
import { alignColumns } from "./align-columns.ts";
import { formatCalls } from "./format-calls.ts";

export function formatDescription(description: WorkloadDescription): readonly string[] {
  const { workload, injected, ports, undeclaredPorts, policies, issuers } = description;
  return [
    `${workload.namespace}/${workload.owner}`,
    `  pod        ${workload.name}`,
    `  labels     ${labelsInWords(workload.labels)}`,
    `  identity   ${injected ? workload.identity : "none: the pod has no sidecar, so that nothing is enforced there"}`,
    "",
    ...portLines(ports),
    ...undeclaredPorts.map(undeclaredInWords),
    "",
    ...issuerLines(issuers),
    ...policyLines(policies),
    otherwiseInWords(description),
    ...formatCalls(description.calls),
  ];
}

function labelsInWords(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.join(", ") || "none";
}

const PORT_HEADINGS = ["PORT", "CARRIES", "SERVICE", "MUTUAL TLS", "SET BY"];

function portLines(ports: readonly DescribedPort[]): readonly string[] {
  if (ports.length === 0) return ["It declares no ports."];
  return alignColumns([
    PORT_HEADINGS,
    ...ports.map(({ containerPort, protocol, services, mutualTls: { mode, origin } }) => [
      String(containerPort),
      protocol === "auto" ? "undeclared" : protocol,
      services.map(serviceInWords).join(", ") || "none",
      mode,
      originInWords(origin),
    ]),
  ]);
}

function undeclaredInWords({ containerPort, mutualTls: { mode, origin } }: UndeclaredPort): string {
  return `Port ${containerPort}, which no container declares: ${mode}, set by ${originInWords(origin)}`;
}

function serviceInWords({ serviceName, servicePort }: ServicePortName): string {
  return `${serviceName}:${servicePort}`;
}

function originInWords(origin: Origin): string {
  if (origin === "default") return "the mesh's default";
  return `${formatRef(origin.ref)} (${formatLocation(origin.source)})`;
}

function issuerLines(issuers: readonly DescribedIssuer[]): readonly string[] {
  if (issuers.length === 0) return [];
  return [
    "Tokens of end users that are verified:",
    ...issuers.map(({ ref, source, issuer, audiences }) => {
      const meant = audiences.length === 0 ? "" : `, for ${audiences.join(" or ")}`;
      return `  of ${issuer === "" ? "any issuer" : issuer}${meant}, by ${formatRef(ref)} (${formatLocation(source)})`;
    }),
    "",
  ];
}

function policyLines(policies: readonly DescribedPolicy[]): readonly string[] {
  if (policies.length === 0) return ["No AuthorizationPolicy applies."];
  return [
    "Authorization, in the order it is asked:",
    ...policies.flatMap((policy) => ["", ...policyInWords(policy)]),
    "",
  ];
}

function policyInWords({
  ref,
  source,
  action,
  provider,
  dryRun,
  matchesNothing,
  rules,
}: DescribedPolicy): string[] {
  const remarks = [
    ...(provider === undefined ? [] : [`by ${provider}`]),
    ...(dryRun ? ["on trial: logged, not enforced"] : []),
    ...(matchesNothing ? ["matches nothing on any port of this workload"] : []),
  ];
  const heading = `${action.padEnd(6)} ${formatRef(ref)} (${formatLocation(source)})`;
  return [
    [heading, ...remarks].join(", "),
    ...(rules.length === 0 ? [`  no rules: ${WITHOUT_RULES[action]}`] : []),
    ...rules.flatMap(ruleInWords),
  ];
}

const WITHOUT_RULES: Readonly<Record<DescribedPolicy["action"], string>> = {
  ALLOW: "allows nothing, and what no other policy allows is denied",
  DENY: "denies nothing",
  AUDIT: "records nothing",
  CUSTOM: "delegates nothing",
};

function ruleInWords({ index, source, sentence, onPorts }: DescribedRule): string[] {
  return [
    `  rules[${index}] (line ${source.line}) ${sentence}`,
    ...effectGroups(onPorts).map(({ ports, words }) => `    on ${ports.join(", ")}: ${words}`),
  ];
}

interface EffectGroup {
  readonly ports: string[];
  readonly words: string;
}

/** Ports on which a rule does the same are told together. */
function effectGroups(effects: readonly DescribedEffect[]): readonly EffectGroup[] {
  const groups = new Map<string, EffectGroup>();
  for (const effect of effects) {
    const words = effectInWords(effect);
    const port = `${effect.containerPort} (${effect.judgedAs})`;
    const group = groups.get(words);
    if (group === undefined) groups.set(words, { ports: [port], words });
    else group.ports.push(port);
  }
  return [...groups.values()];
}

function effectInWords({ effect, httpFields, sentence }: DescribedEffect): string {
  const fields = httpFields.join(", ");
  switch (effect) {
    case "as-written":
      return "as written";
    case "other-port":
      return "never, because it names other ports";
    case "never":
      return `never, because ${fields} cannot be asked of TCP, and an ALLOW rule then matches nothing (AP-61)`;
    case "widened":
      return `${sentence} Without ${fields}, which cannot be asked of TCP (AP-62)`;
  }
}

function otherwiseInWords({ otherwise }: WorkloadDescription): string {
  return otherwise === "denied"
    ? "Whatever no ALLOW rule matches is denied."
    : "No ALLOW policy is in force: whatever is not denied is allowed.";
}
