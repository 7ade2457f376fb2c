/** Policies with many rules about few callers and paths, so that an index over them has many places and many rules at each. */
import type { AuthorizationRule } from "../../src/api/authorization-policy.ts";
import type { AppliedPolicy } from "../../src/policy/workload-view.ts";
import type { OwnTrustDomains } from "./compiled-engine.ts";
import type { Dice } from "./dice.ts";

export const CROWDED_DOMAINS: OwnTrustDomains = {
  trustDomain: "cluster.local",
  trustDomainAliases: ["old.td"],
};
/** Of every form that a SPIFFE ID may have; one is of another mesh. */
export const CROWDED_IDENTITIES: readonly string[] = [
  "spiffe://cluster.local/ns/a/sa/a",
  "spiffe://cluster.local/ns/a/sa/b",
  "spiffe://cluster.local/ns/b/sa/a",
  "spiffe://cluster.local/ns/ns/sa/a",
  "spiffe://cluster.local/ns/sa/sa/a",
  "spiffe://old.td/ns/a/sa/a",
  "spiffe://oldxtd/ns/a/sa/a",
  "spiffe://other/ns/a/sa/a",
  "spiffe://cluster.local/ns/a/x/sa/a",
  "spiffe://cluster.local/ns/a/sa/a/more",
  "spiffe://cluster.local/x/ns/a/sa/b",
  "spiffe://cluster.local/ns/b/ns/a/sa/b",
  "spiffe://cluster.local/ns/a",
  "spiffe://cluster.local",
];
export const CROWDED_PATHS: readonly string[] = [
  "/",
  "/a",
  "/a/b",
  "/a/b?x=/c",
  "/a/b/c",
  "/ab",
  "/b/x.json",
  "/b?y.json",
  "/b/a%2Fb",
  "*",
];
const CALLERS: readonly AuthorizationRule["from"][number][] = [
  { principals: ["cluster.local/ns/a/sa/a"] },
  { principals: ["old.td/ns/a/sa/a", "cluster.local/ns/b/*"] },
  { principals: ["cluster.local/ns/a/sa/*", "cluster.local/ns/a/*"] },
  { principals: ["*/sa/b"] },
  { principals: ["*"] },
  { namespaces: ["a"] },
  { namespaces: ["sa", "b"] },
  { namespaces: ["*"] },
  { serviceAccounts: ["a"] },
  { serviceAccounts: ["b/a", "ns/a"] },
  { trustDomains: ["cluster.local"] },
  { namespaces: ["a"], notPrincipals: ["cluster.local/ns/a/sa/a"] },
  { serviceAccounts: ["a/a"], notNamespaces: ["b"] },
  { notNamespaces: ["a"] },
];
const OPERATIONS: readonly AuthorizationRule["to"][number][] = [
  { paths: ["/a"] },
  { paths: ["/a/b", "/b*"] },
  { paths: ["/a/*"] },
  { paths: ["/{*}/b"] },
  { paths: ["/a/{**}"] },
  { paths: ["*.json", "/a/b/c"] },
  { paths: ["*/b", "*/b/c"] },
  { paths: ["*/x.json", "*/y.json", "*/"] },
  { paths: ["*b", "*b/x.json"] },
  { paths: ["/"], notPaths: ["*"] },
  { notPaths: ["/a*"] },
  { paths: ["/*"], notPaths: ["/a/b"] },
  { paths: ["*"], methods: ["PUT"] },
];

/** Few callers and operations: many rules of one caller, and many callers with few rules each. */
export function crowdedPolicy(
  dice: Dice,
  action: "ALLOW" | "DENY",
  count: number = action === "DENY" ? dice.pick([0, 1, 2, 30]) : dice.pick([3, 20, 60]),
): AppliedPolicy {
  const callers = dice.several(1, 4, () => dice.pick(CALLERS));
  const rules = Array.from({ length: count }, () => ({
    line: 1,
    from: dice.several(0, 2, () => dice.pick(callers)),
    to: dice.several(action === "DENY" ? 1 : 0, 2, () => dice.pick(OPERATIONS)),
    when: [],
  }));
  const ref = { kind: "AuthorizationPolicy", namespace: "a", name: action.toLowerCase() };
  return { ref, source: { file: "p.yaml", line: 1 }, action, rules };
}
