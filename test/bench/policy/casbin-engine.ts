/** casbin, one policy line a rule; its matcher calls functions of ours for lists of patterns, as casbin's own are for one. */
import { newEnforcer, newModelFromString } from "casbin";
import type { Engine } from "./engine.ts";
import type { MixedRule } from "./mixed-rules.ts";

const MODEL = `
[request_definition]
r = principal, namespace, method, host, port, path, headers
[policy_definition]
p = principals, notPrincipals, namespaces, methods, hosts, ports, paths, notPaths, header, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = oneOf(r.principal, p.principals) && oneOf(r.namespace, p.namespaces) && oneOf(r.method, p.methods) && oneOf(r.port, p.ports) && oneOf(r.path, p.paths) && oneOf(r.host, p.hosts) && noneOf(r.principal, p.notPrincipals) && noneOf(r.path, p.notPaths) && headerFits(r.headers, p.header)
`;

export const casbinEngine: Engine = {
  name: "casbin",
  async load(rules) {
    const enforcer = await newEnforcer(newModelFromString(MODEL));
    await enforcer.addFunction(
      "oneOf",
      (value: string, list: string) => list === "" || fits(value, list),
    );
    await enforcer.addFunction(
      "noneOf",
      (value: string, list: string) => list === "" || !fits(value, list),
    );
    await enforcer.addFunction("headerFits", headerFits);
    await enforcer.addPolicies(rules.map(policyLine));
    return ({ principal, namespace, method, host, port, path, headers }) => {
      const asked = [principal, namespace, method, host, String(port), path, headers];
      return () => enforcer.enforceSync(...asked);
    };
  },
};

const LISTS = [
  "principals",
  "notPrincipals",
  "namespaces",
  "methods",
  "hosts",
  "ports",
  "paths",
  "notPaths",
] as const;

function policyLine(rule: MixedRule, index: number): string[] {
  const { header } = rule;
  const lists = LISTS.map((name) => (rule[name] ?? []).join("|"));
  /** casbin keeps equal lines once; the number keeps them apart, as rules of two policies are. */
  const headers =
    header === undefined ? `#${index}` : `${header.name}=${header.values.join("|")}#${index}`;
  return [...lists, headers, rule.action === "ALLOW" ? "allow" : "deny"];
}

function headerFits(headers: Readonly<Record<string, string>>, written: string): boolean {
  const demand = written.slice(0, written.indexOf("#"));
  if (demand === "") return true;
  const [name = "", values = ""] = demand.split("=");
  const value = headers[name];
  return value !== undefined && fits(value, values);
}

function fits(value: string, list: string): boolean {
  for (const pattern of list.split("|")) {
    if (pattern === value) return true;
    if (pattern.endsWith("*") && value.startsWith(pattern.slice(0, -1))) return true;
    if (pattern.startsWith("*") && value.endsWith(pattern.slice(1))) return true;
  }
  return false;
}
