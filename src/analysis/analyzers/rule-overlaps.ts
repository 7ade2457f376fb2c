/** Rules of ALLOW policies that another rule leaves without effect, and rules that go by what every caller can write. */
import type { AnalyzedMesh } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import {
  actionOf,
  hasTargets,
  rulesOf,
  selectorOf,
  type WrittenRule,
} from "../authorization-rules.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";
import { coversRule } from "../rule-coverage.ts";

/** With more, nothing more is said: all pairs of thousands of rules are not worth the wait. */
const MAX_PAIRS = 1_000_000;

interface PlacedRule {
  readonly policy: AnalyzedObject;
  readonly rule: WrittenRule;
}

export const ruleOverlaps: Analyzer = {
  name: "hauberk.RuleOverlapsAnalyzer",
  about: "rules that others leave without effect, or that go by a header alone",
  *analyze(mesh) {
    const policies = mesh.of("AuthorizationPolicy").filter(isInForce);
    const byAction = (action: string): readonly PlacedRule[] =>
      policies
        .filter((policy) => actionOf(policy) === action)
        .flatMap((policy) => rulesOf(policy).map((rule) => ({ policy, rule })));
    const [allowing, denying] = [byAction("ALLOW"), byAction("DENY")];
    const written = headersWritten(mesh);
    yield* withoutEffect({ allowing, denying }, mesh);
    for (const { policy, rule } of allowing) {
      const names = headersAlone(rule).filter((name) => !written.has(name.toLowerCase()));
      if (names.length > 0)
        yield finding(policy, "HBK0021", [`#${rule.index}`, headersInWords(names)], rule.at);
    }
  },
};

/** References lead elsewhere, and a dry run decides nothing. */
function isInForce(policy: AnalyzedObject): boolean {
  return !hasTargets(policy) && policy.annotations["istio.io/dry-run"] !== "true";
}

function* withoutEffect(
  {
    allowing,
    denying,
  }: { readonly allowing: readonly PlacedRule[]; readonly denying: readonly PlacedRule[] },
  mesh: AnalyzedMesh,
): Iterable<Finding> {
  let pairs = 0;
  for (const [index, one] of allowing.entries()) {
    pairs += allowing.length + denying.length;
    if (pairs > MAX_PAIRS) return;
    const { policy, rule } = one;
    const told = (code: string, by: PlacedRule): Finding =>
      finding(policy, code, [`#${rule.index}`, `#${by.rule.index}`, by.policy.title], rule.at);
    const denial = denying.find((other) => leavesNothing(other, one, mesh));
    const wider = allowing.find(
      (other, place) =>
        other !== one &&
        leavesNothing(other, one, mesh) &&
        // Of two that are alike the second one is told.
        (place < index || !leavesNothing(one, other, mesh)),
    );
    if (denial !== undefined) yield told("HBK0020", denial);
    else if (wider !== undefined) yield told("HBK0019", wider);
  }
}

/** An empty rule takes all: that is told of its policy. */
function leavesNothing(wide: PlacedRule, narrow: PlacedRule, mesh: AnalyzedMesh): boolean {
  return (
    wide.rule.at.size > 0 &&
    isEverywhere(wide.policy, narrow.policy, mesh) &&
    meanSameAccounts(wide, narrow) &&
    coversRule(wide.rule, narrow.rule)
  );
}

/** An account without a namespace is of its policy's (AP-47): in another namespace the same word means another one. */
function meanSameAccounts(wide: PlacedRule, narrow: PlacedRule): boolean {
  return (
    wide.policy.namespace === narrow.policy.namespace ||
    ![wide, narrow].some(({ rule }) => hasShortAccounts(rule))
  );
}

function hasShortAccounts({ sources, conditions }: WrittenRule): boolean {
  const written = [
    ...sources.flatMap((one) => ACCOUNTS.flatMap((field) => one.at(field).texts)),
    ...conditions
      .filter((one) => one.at("key").text === "source.serviceAccount")
      .flatMap((one) => [...one.at("values").texts, ...one.at("notValues").texts]),
  ];
  return written.some((account) => !account.includes("/"));
}

const ACCOUNTS = ["serviceAccounts", "notServiceAccounts"] as const;

/** Whether one policy applies wherever the other does. */
function isEverywhere(
  wide: AnalyzedObject,
  narrow: AnalyzedObject,
  { rootNamespace }: AnalyzedMesh,
): boolean {
  if (wide.namespace !== narrow.namespace && wide.namespace !== rootNamespace) return false;
  const labels = selectorOf(narrow);
  return Object.entries(selectorOf(wide)).every(([name, value]) => labels[name] === value);
}

const HEADER = /^request\.headers\[(.+)\]$/;
/** What a rule demands of anything but the caller. */
const OF_CALLEE = /^destination\./;
/** Sidecars write it themselves; the host is what is called, and no caller's word of itself. */
const NO_CLAIMS: readonly string[] = ["x-forwarded-client-cert", "host", ":authority"];

/** Names of headers, where a rule demands nothing else of its caller. */
function headersAlone({ sources, conditions }: WrittenRule): readonly string[] {
  if (sources.length > 0) return [];
  const keys = conditions.map((one) => one.at("key").text).filter((key) => !OF_CALLEE.test(key));
  const names = keys.flatMap((key) => HEADER.exec(key)?.[1] ?? []);
  const isAlone = names.length === keys.length && names.every((name) => !isOther(name));
  return isAlone ? names : [];
}

function isOther(name: string): boolean {
  return NO_CLAIMS.includes(name.toLowerCase());
}

/** Headers that proxies write of what they have verified, or were told by an authorizer. */
function headersWritten(mesh: AnalyzedMesh): ReadonlySet<string> {
  const rules = mesh
    .of("RequestAuthentication")
    .flatMap(({ spec }) => spec.at("jwtRules").items)
    .flatMap((rule) => [
      rule.at("outputPayloadToHeader").text,
      ...rule.at("outputClaimToHeaders").items.map((one) => one.at("header").text),
    ]);
  const providers = mesh.meshConfig
    .at("extensionProviders")
    .items.flatMap((one) => one.at("envoyExtAuthzHttp", "headersToUpstreamOnAllow").texts);
  return new Set([...rules, ...providers].map((name) => name.toLowerCase()));
}

function headersInWords(names: readonly string[]): string {
  return names.length === 1 ? `header ${names[0]}` : `headers ${names.join(", ")}`;
}
