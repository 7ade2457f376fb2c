/** Values of rules that match nobody, or more than they seem to. */
import type { AnalyzedObject } from "../analyzed-object.ts";
import { actionOf, rulesOf, type WrittenRule } from "../authorization-rules.ts";
import type { Field } from "../field.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";

export const ruleValues: Analyzer = {
  name: "hauberk.RuleValuesAnalyzer",
  about: "values of rules that match nobody, or more than they seem to",
  *analyze(mesh) {
    for (const policy of mesh.of("AuthorizationPolicy"))
      for (const rule of rulesOf(policy)) {
        yield* principals(policy, rule);
        yield* operations(policy, rule);
        yield* shape(policy, rule);
      }
  },
};

function* principals(policy: AnalyzedObject, { sources }: WrittenRule): Iterable<Finding> {
  for (const source of sources)
    for (const principal of [
      ...source.at("principals").items,
      ...source.at("notPrincipals").items,
    ]) {
      const problem = principalProblem(principal.text);
      if (problem !== undefined)
        yield finding(policy, "HBK0003", [principal.text, problem], principal);
    }
}

function principalProblem(text: string): string | undefined {
  if (text.startsWith("spiffe://")) return "spiffe:// is not part of it";
  if (text.includes("*")) return undefined;
  if (/^ns\/[^/]+\/sa\/[^/]+$/.test(text)) return "it has no trust domain";
  return /^[^/]+\/ns\/[^/]+\/sa\/[^/]+$/.test(text) ? undefined : "it is no identity of the mesh";
}

function* operations(policy: AnalyzedObject, { operations }: WrittenRule): Iterable<Finding> {
  for (const operation of operations) {
    for (const method of both(operation, "methods", "notMethods"))
      if (method.text !== method.text.toUpperCase())
        yield finding(policy, "HBK0010", [method.text, method.text.toUpperCase()], method);
    for (const path of both(operation, "paths", "notPaths")) {
      const problem = pathProblem(path.text);
      if (problem !== undefined) yield finding(policy, "HBK0012", [path.text, problem], path);
    }
    const hosts = both(operation, "hosts", "notHosts");
    for (const host of hosts) {
      const withPort = `${host.text}:*`;
      const isWhole = host.text.includes("*") || host.text.includes(":");
      if (isWhole || hosts.some(({ text }) => text.startsWith(`${host.text}:`))) continue;
      yield finding(policy, "HBK0009", [host.text, `${host.text}:8080`, withPort], host);
    }
  }
}

function both(operation: Field, name: string, negated: string): readonly Field[] {
  return [...operation.at(name).items, ...operation.at(negated).items];
}

function pathProblem(text: string): string | undefined {
  if (text.includes("?")) return "the query is not part of the path";
  if (text.includes("#")) return "the fragment is never sent";
  const isRooted = /^[/*{]/.test(text);
  return isRooted || text === "" ? undefined : "paths begin with a slash";
}

function* shape(policy: AnalyzedObject, rule: WrittenRule): Iterable<Finding> {
  const { at, sources, conditions, index } = rule;
  if (actionOf(policy) !== "ALLOW") return;
  if (at.size === 0) yield finding(policy, "HBK0008", [`#${index}`], at);
  const fields = sources.flatMap((source) => [...source.entries.keys()]);
  const negated = fields.filter((name) => name.startsWith("not"));
  if (fields.length > 0 && negated.length === fields.length && conditions.length === 0)
    yield finding(policy, "HBK0002", [`#${index}`, [...new Set(negated)].join(", ")], at);
  const addresses = fields.filter((name) => /ipblocks$/i.test(name));
  if (fields.length > 0 && addresses.length === fields.length && negated.length === 0)
    yield finding(policy, "HBK0015", [`#${index}`, [...new Set(addresses)].join(", ")], at);
}
