/** From a decision to words: what decided, where it is written, and what would have had to be otherwise. */
import { quoted } from "../api/quoted.ts";
import { formatLocation, formatRef, type ResourceRef } from "../api/resource.ts";
import { answerInWords } from "./authorizer-answer-words.ts";
import type {
  Decision,
  Delegation,
  Judged,
  NearestMiss,
  Origin,
  Reason,
  RuleRef,
  TokenRuleOutcome,
  UnmetCondition,
  Verdict,
} from "./decision.ts";
import { limitedInWords, shortLimit } from "./rate-limits/limit-in-words.ts";
import { trialOutcome } from "./trial-outcome.ts";

/**
 * Plain sentences, one a line; the details of nearest rules are indented by two spaces. What policies on trial would
 * decide is told where it differs. Never throws.
 */
export function explain(decision: Decision): string {
  const { verdict, reason, audited, shadowLimits = [], uncounted = [], asked = [] } = decision;
  return [
    `${OPENINGS[verdict]}: ${sentence(reason)}`,
    ...details(reason),
    ...(asked.length === 0 ? [] : ["External authorizers were asked:"]),
    ...asked.map((answer) => `  ${answerInWords(answer)}`),
    ...(audited === undefined ? [] : [`Audited: ${ruleInWords(audited)} matches, an AUDIT rule.`]),
    ...trialInWords(decision),
    ...shadowLimits.map((limit) => `On trial (mode: Shadow), ${limitedInWords(limit)}.`),
    ...uncounted.map((limit) => `Rate limit ${limit} did not count it: ${NOBODY_COUNTED}.`),
  ].join("\n");
}

const NOBODY_COUNTED = "whoever counts for the mesh could not be asked, or knew no such limit";

function trialInWords(decision: Decision): string[] {
  const differing = differingTrial(decision);
  if (differing === undefined) return [];
  const { verdict, reason } = differing;
  const outcome = OPENINGS[verdict].toLowerCase();
  return [
    `With the policies on trial in force (istio.io/dry-run), ${outcome}: ${sentence(reason)}`,
    ...details(reason),
  ];
}

function differingTrial(decision: Decision): Judged | undefined {
  const outcome = trialOutcome(decision);
  return typeof outcome === "string" ? undefined : outcome;
}

const OPENINGS: Readonly<Record<Verdict, string>> = {
  allow: "Allowed",
  deny: "Denied",
  delegate: "Delegated",
};

/** What policies say beside the verdict, each in one short line: nothing for most decisions. */
export function summarizeAside(decision: Decision): readonly string[] {
  const { audited, shadowLimits = [], uncounted = [], asked = [] } = decision;
  const trial = differingTrial(decision);
  return [
    ...asked.map(answerInWords),
    ...(audited === undefined ? [] : [`AUDIT ${shortRule(audited)}`]),
    ...(trial === undefined
      ? []
      : [`on trial ${OPENINGS[trial.verdict].toLowerCase()}: ${summarize(trial.reason)}`]),
    ...shadowLimits.map((limit) => `on trial: rate limit ${shortLimit(limit)}`),
    ...uncounted.map((limit) => `not counted by rate limit ${limit}: ${NOBODY_COUNTED}`),
  ];
}

/** One short line for tables, such as `DENY production/no-admin rules[0] (policies.yaml:12)`. */
export function summarize(reason: Reason): string {
  switch (reason.because) {
    case "matched-allow":
      return `ALLOW ${shortRule(reason.matched)}`;
    case "matched-deny":
      return `DENY ${shortRule(reason.matched)}`;
    case "matched-custom":
      return `CUSTOM ${reason.delegations.map(shortDelegation).join(", ")}; then ${summarize(reason.afterwards.reason)}`;
    case "no-authorizer":
      return `CUSTOM ${shortDelegation(reason)}: ${reason.problem}`;
    case "authorizer-denied":
      return `CUSTOM ${shortDelegation(reason)}: denied by the authorizer`;
    case "authorizer-failed":
      return `CUSTOM ${shortDelegation(reason)}: no answer: ${reason.problem}`;
    case "rate-limited":
      return `rate limit ${shortLimit(reason)}`;
    case "token-refused":
      return `token refused: ${reason.problem}${refusingRule(reason.rules)}`;
    case "no-allow-policy":
      return "no ALLOW policy applies";
    case "no-allow-matched":
      return `no ALLOW rule matched${nearestInBrackets(reason.nearest)}`;
    case "plaintext-refused":
      return `plaintext refused, STRICT by ${shortOrigin(reason.origin)}${shortChoice("plaintext", reason)}`;
    case "tls-refused":
      return `TLS refused, DISABLE by ${shortOrigin(reason.origin)}${shortChoice("TLS", reason)}`;
    case "callee-not-verified":
      return `callee not verified: ${reason.problem}; mutual TLS by ${shortOrigin(reason.origin)}`;
    case "peer-not-verified":
      return `caller not verified: ${reason.problem}`;
    case "no-sidecar":
      return "the callee has no sidecar";
    case "network-policy":
      return `NetworkPolicy refuses ${reason.direction}: ${reason.policies.map(shortRef).join(", ")}`;
    case "unknown-destination":
      return "no destination of the mesh (REGISTRY_ONLY)";
    case "not-own-workload":
      return `not the pod's own process: ${reason.problem}`;
    case "told-by-envoy":
      return `Envoy: ${reason.details}`;
    default:
      return unknownReason(reason);
  }
}

function sentence(reason: Reason): string {
  switch (reason.because) {
    case "matched-allow":
      return `${ruleInWords(reason.matched)} matches, an ALLOW rule.`;
    case "matched-deny":
      return `${ruleInWords(reason.matched)} matches, a DENY rule.`;
    case "matched-custom":
      return matchedCustom(reason);
    case "no-authorizer":
      return `${ruleInWords(reason.matched)} matches, a CUSTOM rule, and its authorizer ${reason.provider} cannot be asked: ${reason.problem}.`;
    case "authorizer-denied":
      return `${ruleInWords(reason.matched)} matches, a CUSTOM rule, and its authorizer ${reason.provider} denies.`;
    case "authorizer-failed":
      return `${ruleInWords(reason.matched)} matches, a CUSTOM rule, and its authorizer ${reason.provider} gave no answer: ${reason.problem}.`;
    case "rate-limited":
      return `${limitedInWords(reason)}.`;
    case "token-refused":
      return `the request's token is refused: ${reason.problem}.`;
    case "no-allow-policy":
      return "no ALLOW policy applies to the callee, and no DENY rule matches.";
    case "no-allow-matched":
      return noAllowMatched(reason);
    case "plaintext-refused":
      return `the caller speaks plaintext${choiceInWords(reason)}, and the port demands mutual TLS (STRICT), set by ${originInWords(reason.origin)}.`;
    case "tls-refused":
      return `the caller speaks TLS${choiceInWords(reason)}, and mutual TLS is disabled on the port (DISABLE), set by ${originInWords(reason.origin)}.`;
    case "callee-not-verified":
      return `the caller's sidecar insists on mutual TLS, set by ${originInWords(reason.origin)}, and the callee's identity could not be verified: ${reason.problem}.`;
    case "peer-not-verified":
      return `the caller's identity could not be verified: ${reason.problem}.`;
    case "no-sidecar":
      return "the callee has no sidecar, so that nothing is enforced there.";
    case "network-policy":
      return networkPolicy(reason);
    case "unknown-destination":
      return "what was called is no destination of the mesh, and nobody is let out to others, by outboundTrafficPolicy REGISTRY_ONLY or a pod's HTTP proxy: a ServiceEntry would make it known.";
    case "not-own-workload":
      return `the pod's outbound side serves the pod's own processes alone: ${reason.problem}.`;
    case "told-by-envoy":
      return `the pod's Envoy decided, and says: ${reason.details}.`;
    default:
      return unknownReason(reason);
  }
}

function details(reason: Reason): string[] {
  if (reason.because === "token-refused") return reason.rules.map(tokenRuleInWords);
  if (reason.because !== "no-allow-matched" || reason.nearest.length === 0) return [];
  const opening = reason.nearest.length === 1 ? "The nearest rule:" : "The nearest rules:";
  return [opening, ...reason.nearest.flatMap(missInWords)];
}

function tokenRuleInWords({ origin, issuer, outcome }: TokenRuleOutcome): string {
  const of = issuer === "" ? "any issuer" : `issuer ${quoted(issuer)}`;
  const why = outcome === KEYS_NOT_FETCHED ? WITHOUT_KEYS : "";
  return `  ${originInWords(origin)}, ${of}: ${outcome}${why}`;
}

/** As a sidecar answers it (JWT-47). */
const KEYS_NOT_FETCHED = "Jwks remote fetch is failed";
const WITHOUT_KEYS =
  "; the control plane has no keys of it yet: `hauberk describe` and its log say why";

function refusingRule(rules: readonly TokenRuleOutcome[]): string {
  const [first] = rules.filter(({ outcome }) => outcome !== "good");
  return first === undefined ? "" : `, by ${shortOrigin(first.origin)}`;
}

function matchedCustom({
  delegations,
  afterwards,
}: Extract<Reason, { because: "matched-custom" }>): string {
  const asked = delegations.map(
    ({ provider, matched }) => `${provider} is asked, because ${ruleInWords(matched)} matches`,
  );
  const outcome = OPENINGS[afterwards.verdict].toLowerCase();
  return `${asked.join("; ")}. Once all allow it, it is ${outcome}: ${sentence(afterwards.reason)}`;
}

function noAllowMatched({
  considered,
  nearest,
}: Extract<Reason, { because: "no-allow-matched" }>): string {
  const policies = considered.map(formatRef).join(", ");
  if (nearest.length > 0) {
    return `ALLOW policies apply to the callee, and none of their rules matches (${policies}).`;
  }
  const [allows, has] = considered.length === 1 ? ["allows", "has"] : ["allow", "have"];
  return `${policies} ${has} no rules, and so ${allows} nothing.`;
}

function networkPolicy({
  direction,
  policies,
}: Extract<Reason, { because: "network-policy" }>): string {
  const limited = { egress: "what the caller may call", ingress: "who may call the callee" }[
    direction
  ];
  const allows = policies.length === 1 ? "which does not allow" : "none of which allows";
  return `${limited} is limited by ${policies.map(formatRef).join(", ")}, ${allows} this connection.`;
}

function missInWords({ rule, unmet }: NearestMiss): string[] {
  return [
    `  ${ruleInWords(rule)}`,
    ...unmet.map((condition) => `    ${conditionInWords(condition)}`),
  ];
}

function conditionInWords({ field, expected, got }: UnmetCondition): string {
  return `${field}: expected ${expected}; got ${got}`;
}

/** Indexed from 0, as in paths of fields, in logs and in rule ids (AP-34). */
function ruleInWords({ policy, rule, source }: RuleRef): string {
  return `rules[${rule}] of ${formatRef(policy)} (${formatLocation(source)})`;
}

function originInWords(origin: Origin): string {
  if (origin === "default") return "the mesh's default";
  return `${formatRef(origin.ref)} (${formatLocation(origin.source)})`;
}

type TransportRefusal = Extract<Reason, { because: "plaintext-refused" | "tls-refused" }>;

function choiceInWords({ chosenBy }: TransportRefusal): string {
  return chosenBy === undefined ? "" : `, set by ${originInWords(chosenBy)}`;
}

function shortChoice(spoken: "plaintext" | "TLS", { chosenBy }: TransportRefusal): string {
  return chosenBy === undefined ? "" : `; ${spoken} by ${shortOrigin(chosenBy)}`;
}

function shortRule({ policy, rule, source }: RuleRef): string {
  return `${shortRef(policy)} rules[${rule}] (${formatLocation(source)})`;
}

function shortDelegation({ provider, matched }: Delegation): string {
  return `${provider} by ${shortRule(matched)}`;
}

function shortOrigin(origin: Origin): string {
  if (origin === "default") return "default";
  return `${shortRef(origin.ref)} (${formatLocation(origin.source)})`;
}

function shortRef({ namespace, name }: ResourceRef): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

function nearestInBrackets([nearest]: readonly NearestMiss[]): string {
  return nearest === undefined ? "" : `; nearest ${shortRule(nearest.rule)}`;
}

/** A decision read from the log of a newer version may carry a reason that this one does not know. */
function unknownReason(reason: never): string {
  return `a reason this version does not know: ${JSON.stringify(reason)}`;
}
