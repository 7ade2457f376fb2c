/** AuthorizationPolicies: nothing by default, for each service, by identity. */
import {
  actionOf,
  hasDenyAll,
  hasTargets,
  meshNamespaces,
  podsOf,
  rulesOf,
  selectorOf,
  type WrittenRule,
} from "../authorization-rules.ts";
import {
  allOf,
  cannotTell,
  counted,
  fixedIn,
  met,
  notMet,
  type Practice,
  placed,
} from "../practice.ts";
import { nameOf, podsInMesh, WITH_SIDECAR } from "./mutual-tls.ts";

const DENY_ALL =
  "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: deny-all, namespace: NAMESPACE}\nspec: {}";
const NO_ALLOW = "no ALLOW policy has a rule";

export const denyAllBaseline: Practice = {
  id: "deny-all-baseline",
  practice: "Use deny-all baseline in every namespace, then add specific ALLOW policies",
  fix: DENY_ALL,
  judge({ mesh }) {
    const namespaces = meshNamespaces(mesh);
    if (namespaces.length === 0) return cannotTell("no workload of the mesh has a sidecar");
    const open = namespaces.filter((name) => !hasDenyAll(name, mesh));
    return open.length === 0
      ? met(`deny-all holds in ${namespaces.join(", ")}`)
      : fixedIn(notMet(...open.map((name) => `namespace ${name} has no deny-all`)), open);
  },
};

export const denyByDefault: Practice = {
  id: "deny-by-default",
  practice: "Use deny-by-default authorization policies",
  fix: DENY_ALL,
  judge({ mesh }) {
    const pods = podsInMesh(mesh);
    if (pods.length === 0) return cannotTell("no workload of the mesh has a sidecar");
    const allowing = mesh.of("AuthorizationPolicy").filter((one) => actionOf(one) === "ALLOW");
    const guarded = new Set(allowing.flatMap((policy) => podsOf(policy, mesh)));
    const open = pods.filter((pod) => !guarded.has(pod));
    const everybody = allowing.filter((policy) => rulesOf(policy).some(({ at }) => at.size === 0));
    const faults = [
      ...open.map((pod) => `${nameOf(pod)}: no ALLOW policy selects it, so all are let in`),
      ...everybody.map((policy) => `${placed(policy)} allows every request`),
    ];
    const namespaces = open.map(({ namespace }) => namespace);
    return faults.length > 0
      ? fixedIn(notMet(...faults), namespaces)
      : met(`what no rule allows is refused by ${allOf(pods.length, ...WITH_SIDECAR)}`);
  },
};

export const policiesForServices: Practice = {
  id: "policies-for-services",
  practice: "Apply AuthorizationPolicies per service, not per namespace",
  fix: "spec:\n  selector:\n    matchLabels: {app: NAME}",
  judge({ mesh }) {
    const allowing = mesh
      .of("AuthorizationPolicy")
      .filter((one) => actionOf(one) === "ALLOW" && rulesOf(one).length > 0);
    if (allowing.length === 0) return cannotTell(NO_ALLOW);
    const wide = allowing.filter(
      (one) => !hasTargets(one) && Object.keys(selectorOf(one)).length === 0,
    );
    return wide.length > 0
      ? notMet(...wide.map((one) => `${placed(one)} allows for its whole namespace`))
      : met(
          `whom they protect is named by ${allOf(allowing.length, "policy that allows", "policies that allow")}`,
        );
  },
};

export const identitiesNotAddresses: Practice = {
  id: "identities-not-addresses",
  practice: "Use SPIFFE principals, not source IPs, in policies",
  fix: 'from:\n- source:\n    principals: ["cluster.local/ns/NAMESPACE/sa/ACCOUNT"]',
  judge({ mesh }) {
    const policies = mesh.of("AuthorizationPolicy");
    const rules = policies.flatMap((policy) => rulesOf(policy).map((rule) => ({ policy, rule })));
    if (rules.length === 0) return cannotTell("no AuthorizationPolicy has a rule");
    const byAddress = rules.filter(({ rule }) => tellsByAddress(rule));
    return byAddress.length > 0
      ? notMet(...byAddress.map(({ policy, rule }) => `${placed(policy, rule.at)} goes by address`))
      : met(`${counted(rules.length, "rule")}, none by addresses alone`);
  },
};

function tellsByAddress({ sources, conditions }: WrittenRule): boolean {
  const isOfAddress = sources.some((source) => {
    const fields = [...source.entries.keys()];
    return fields.some((name) => /ipblocks$/i.test(name)) && !fields.some(isOfIdentity);
  });
  const keys = conditions.map((one) => one.at("key").text);
  const isAsked = keys.some((key) => key === "source.ip" || key === "remote.ip");
  return (
    isOfAddress || (isAsked && !sources.some((source) => hasIdentity([...source.entries.keys()])))
  );
}

function hasIdentity(fields: readonly string[]): boolean {
  return fields.some(isOfIdentity);
}

function isOfIdentity(field: string): boolean {
  return ["principals", "serviceAccounts", "requestPrincipals", "namespaces"].includes(field);
}
