/** A workload's description as people read it: ports, policies in the order they are asked, each rule as a sentence. */
import { formatLocation, formatRef } from "../api/resource.ts";
import type { AppliedAuthorizer } from "../policy/applied-authorizers.ts";
import type { AppliedRateLimit } from "../policy/applied-rate-limits.ts";
import { authorizerInWords } from "../policy/authorizer-sentences.ts";
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
import { limitedTraffic, limitSentence } from "../policy/rate-limits/limit-sentences.ts";
import type { ServicePortName } from "../policy/route.ts";
import { alignColumns } from "./align-columns.ts";
import { formatCalls } from "./format-calls.ts";
import { formatGateway, formatRoutes } from "./format-gateway.ts";

/** @param keys of each issuer, in words */
export function formatDescription(
  description: WorkloadDescription,
  keys: readonly string[] = [],
): readonly string[] {
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
    ...issuerLines(issuers, keys),
    ...policyLines(policies),
    otherwiseInWords(description),
    ...authorizerLines(description.authorizers),
    ...limitLines(description.rateLimits),
    ...formatCalls(description.calls),
    ...formatRoutes(description.routes),
    ...formatGateway(description.gateway),
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

function issuerLines(
  issuers: readonly DescribedIssuer[],
  keys: readonly string[],
): readonly string[] {
  if (issuers.length === 0) return [];
  return [
    "Tokens of end users that are verified:",
    ...issuers.flatMap((issuer, index) => {
      const known = keys[index];
      return [issuerInWords(issuer), ...(known === undefined ? [] : [`    keys: ${known}`])];
    }),
    "",
  ];
}

function issuerInWords({ ref, source, issuer, audiences }: DescribedIssuer): string {
  const meant = audiences.length === 0 ? "" : `, for ${audiences.join(" or ")}`;
  return `  of ${issuer === "" ? "any issuer" : issuer}${meant}, by ${formatRef(ref)} (${formatLocation(source)})`;
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

function authorizerLines(authorizers: readonly AppliedAuthorizer[]): readonly string[] {
  if (authorizers.length === 0) return [];
  return [
    "",
    "External authorizers, of which all that are asked must allow:",
    ...authorizers.map((one) => `  ${authorizerInWords(one)}`),
  ];
}

function limitLines(limits: readonly AppliedRateLimit[]): readonly string[] {
  if (limits.length === 0) return [];
  return [
    "",
    "Rate limits, of which each that counts a request must have room for it:",
    ...limits.flatMap((limit) => [
      `  ${limitSentence(limit)}`,
      ...limitedTraffic(limit).map((sentence) => `    ${sentence}`),
    ]),
  ];
}

function otherwiseInWords({ otherwise }: WorkloadDescription): string {
  return otherwise === "denied"
    ? "Whatever no ALLOW rule matches is denied."
    : "No ALLOW policy is in force: whatever is not denied is allowed.";
}
