/**
 * Rules of an ALLOW policy that a stray dash seems to have split. What stood under one dash must hold
 * together; split, a request that satisfies either part gets in. DENY policies only become stricter.
 */
import type { AnalyzedObject } from "../analyzed-object.ts";
import { actionOf, rulesOf, type WrittenRule } from "../authorization-rules.ts";
import type { Field } from "../field.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";

export const splitRules: Analyzer = {
  name: "hauberk.SplitRulesAnalyzer",
  about: "rules that a stray dash has split, so that either part lets a request in",
  *analyze(mesh) {
    for (const policy of mesh.of("AuthorizationPolicy"))
      if (actionOf(policy) === "ALLOW") {
        const rules = rulesOf(policy);
        yield* splitBetween(policy, rules);
        for (const { index, sources, operations } of rules) {
          yield* splitWithin(policy, `from of rule #${index}`, sources, PEERS);
          yield* splitWithin(policy, `to of rule #${index}`, operations, {});
        }
      }
  },
};

/** Ways to name a caller by its certificate; one item with principals and one with namespaces is plain. */
const PEERS: Readonly<Record<string, string>> = {
  principals: "peer",
  namespaces: "peer",
  serviceAccounts: "peer",
};

/** A part that a dash begins: what kinds of things it asks for. */
interface Part {
  readonly at: Field;
  readonly kinds: ReadonlySet<string>;
}

function* splitBetween(policy: AnalyzedObject, rules: readonly WrittenRule[]): Iterable<Finding> {
  const parts = rules.map((rule) => ({ at: rule.at, rule, kinds: sectionsOf(rule) }));
  for (const [first, second] of suspects(parts)) {
    if (isPublicBesideTokens(first.rule, second.rule)) continue;
    const [one, other] = [`Rule #${first.rule.index}`, `rule #${second.rule.index}`];
    const advice = "put from, to and when under one dash";
    yield finding(policy, "HBK0013", [one, other, advice], second.at);
  }
}

function sectionsOf({ sources, operations, conditions }: WrittenRule): ReadonlySet<string> {
  const sections = { from: sources, to: operations, when: conditions };
  return new Set(
    Object.entries(sections).flatMap(([name, items]) => (items.length > 0 ? [name] : [])),
  );
}

/** Paths for everybody, then a token for all else: one of the usual policies. */
function isPublicBesideTokens(first: WrittenRule, second: WrittenRule): boolean {
  const isPublic =
    first.operations.length > 0 &&
    first.operations.every((one) => one.at("paths").size > 0 && !one.at("methods").exists);
  if (!isPublic) return false;
  const { sources, conditions } = second;
  const isCallerKnown =
    sources.length > 0 && sources.every((one) => one.at("requestPrincipals").size > 0);
  return isCallerKnown || conditions.some((one) => one.at("key").text.startsWith("request.auth."));
}

function* splitWithin(
  policy: AnalyzedObject,
  where: string,
  items: readonly Field[],
  families: Readonly<Record<string, string>>,
): Iterable<Finding> {
  const parts = items.map((at) => ({ at, kinds: kindsOf(at, families) }));
  const pairs = suspects(parts).filter((pair) => !isPortAlone(...pair));
  const told = new Set(pairs.map(([, second]) => second.at));
  for (const [index, second] of parts.entries()) {
    const first = parts[index - 1];
    if (first === undefined) continue;
    if (!told.has(second.at) && !isNegationSplitOff(first.at, second.at)) continue;
    const [one, other] = [`Item #${index - 1}`, `item #${index} in ${where}`];
    const advice = "put them under one dash; if either is enough, give each a rule of its own";
    yield finding(policy, "HBK0013", [one, other, advice], second.at);
  }
}

function kindsOf(item: Field, families: Readonly<Record<string, string>>): ReadonlySet<string> {
  return new Set(namesOf(item).map((name) => families[affirmed(name)] ?? affirmed(name)));
}

function namesOf(item: Field): readonly string[] {
  return [...item.entries.keys()];
}

/** `notPaths`: `paths`. */
function affirmed(name: string): string {
  return name.replace(/^not([A-Z])/, (_, letter: string) => letter.toLowerCase());
}

/** What is not HTTP has nothing but its port (AP-61), so such an item stands alone as it must. */
function isPortAlone(...parts: readonly Part[]): boolean {
  return parts.some(({ at }) => namesOf(at).join() === "ports");
}

/** One of the two says only what must not be, and thereby lets in all the rest of the world. */
function isNegationSplitOff(first: Field, second: Field): boolean {
  const [names, others] = [namesOf(first), namesOf(second)];
  if (names.length === 0 || others.length === 0) return false;
  if (names.some((name) => others.includes(name))) return false;
  return [names, others].some((all) => all.every((name) => name !== affirmed(name)));
}

/**
 * Neighbours that ask for nothing of the same kind. Not so where a third part asks for no more
 * than one of the two does: then parts as short as that are how this policy is written.
 */
function suspects<P extends Part>(parts: readonly P[]): readonly (readonly [P, P])[] {
  const pairs: (readonly [P, P])[] = [];
  const others: P[] = [];
  let before: P | undefined;
  for (const part of parts) {
    if (before !== undefined && areDisjoint(before.kinds, part.kinds)) {
      pairs.push([before, part]);
      before = undefined;
    } else {
      if (before !== undefined) others.push(before);
      before = part;
    }
  }
  if (before !== undefined) others.push(before);
  const isUsual = ({ kinds }: P) => others.some((other) => isWithin(other.kinds, kinds));
  return pairs.filter((pair) => !pair.some(isUsual));
}

function areDisjoint(kinds: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return kinds.size > 0 && others.size > 0 && ![...kinds].some((kind) => others.has(kind));
}

function isWithin(kinds: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return kinds.size > 0 && [...kinds].every((kind) => others.has(kind));
}
