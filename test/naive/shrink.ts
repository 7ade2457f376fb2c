/** Makes a disagreement as small as it can be: takes parts away as long as it stays one. */
import type { AuthorizationRule } from "../../src/api/authorization-policy.ts";
import type { AppliedPolicy } from "../../src/policy/workload-view.ts";
import type { TrafficFacts } from "../kit/traffic-facts.ts";
import type { Dispute } from "./comparison.ts";

export function shrink(dispute: Dispute, stillFails: (smaller: Dispute) => boolean): Dispute {
  let smallest = dispute;
  for (;;) {
    const next = smallerDisputes(smallest).find(stillFails);
    if (next === undefined) return smallest;
    smallest = next;
  }
}

function smallerDisputes({ policies, trust, facts }: Dispute): readonly Dispute[] {
  return [
    ...(["custom", "audit", "deny", "allow"] as const).flatMap((list) =>
      smallerLists(policies[list], smallerPolicies).map((smaller) => ({
        policies: { ...policies, [list]: smaller },
        trust,
        facts,
      })),
    ),
    ...smallerLists(trust.trustDomainAliases, () => []).map((trustDomainAliases) => ({
      policies,
      trust: { ...trust, trustDomainAliases },
      facts,
    })),
    ...smallerFacts(facts).map((smaller) => ({ policies, trust, facts: smaller })),
  ];
}

/** Without one item, or with one that is smaller itself. */
export function smallerLists<Item>(
  list: readonly Item[],
  smallerItems: (item: Item) => readonly Item[],
): readonly (readonly Item[])[] {
  return list.flatMap((item, index) => [
    list.toSpliced(index, 1),
    ...smallerItems(item).map((smaller) => list.with(index, smaller)),
  ]);
}

export function smallerPolicies(policy: AppliedPolicy): readonly AppliedPolicy[] {
  const { dryRun, ...enforced } = policy;
  const rules = smallerLists(policy.rules, smallerRules).map((smaller) => ({
    ...policy,
    rules: smaller,
  }));
  return dryRun === true ? [enforced, ...rules] : rules;
}

function smallerRules(rule: AuthorizationRule): readonly AuthorizationRule[] {
  return [
    ...smallerLists(rule.from, smallerFields).map((from) => ({ ...rule, from })),
    ...smallerLists(rule.to, smallerFields).map((to) => ({ ...rule, to })),
    ...smallerLists(rule.when, ({ key, values, notValues }) =>
      smallerFields({ values, notValues }).map((smaller) => ({
        key,
        values: smaller["values"] ?? [],
        notValues: smaller["notValues"] ?? [],
      })),
    ).map((when) => ({ ...rule, when })),
  ];
}

type Fields = Readonly<Record<string, readonly string[]>>;

/** An empty source or condition is not one that a user can write. */
function smallerFields(fields: Fields): readonly Fields[] {
  const filled = Object.entries(fields).filter(([, values]) => values.length > 0);
  const without = (name: string): Fields =>
    Object.fromEntries(filled.filter(([other]) => other !== name));
  return filled.flatMap(([name, values]) => [
    ...(filled.length > 1 ? [without(name)] : []),
    ...(values.length > 1
      ? smallerLists(values, () => []).map((fewer) => ({ ...without(name), [name]: fewer }))
      : []),
  ]);
}

function smallerFacts(facts: TrafficFacts): readonly TrafficFacts[] {
  const { connection, request } = facts;
  const { principal, ...unidentified } = connection;
  const { serverName, ...unnamed } = connection;
  const smaller: TrafficFacts[] = [];
  if (principal !== undefined) smaller.push({ ...facts, connection: unidentified });
  if (serverName !== undefined) smaller.push({ ...facts, connection: unnamed });
  if (request === undefined) return smaller;
  const { token, ...tokenless } = request;
  if (token !== undefined) smaller.push({ connection, request: tokenless });
  const claims = Object.entries(token ?? {});
  for (const fewer of claims.map((_, index) => claims.toSpliced(index, 1))) {
    smaller.push({ connection, request: { ...request, token: Object.fromEntries(fewer) } });
  }
  const headers = Object.entries(request.headers);
  for (const fewer of headers.map((_, index) => headers.toSpliced(index, 1))) {
    smaller.push({ connection, request: { ...request, headers: Object.fromEntries(fewer) } });
  }
  return smaller;
}
