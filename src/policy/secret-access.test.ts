import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { mayListSecrets } from "./secret-access.ts";

const RBAC = "apiVersion: rbac.authorization.k8s.io/v1";
const LIST = `[{apiGroups: [""], resources: [secrets], verbs: [list]}]`;
const CALLER = "[{kind: ServiceAccount, name: caller, namespace: web}]";

function role(rules = LIST, { kind = "Role", in: namespace = "web" } = {}): string {
  const place = kind === "Role" ? `, namespace: ${namespace}` : "";
  return `\n---\n${RBAC}\nkind: ${kind}\nmetadata: {name: "system:reader"${place}}\nrules: ${rules}`;
}

function binding(
  subjects = CALLER,
  { kind = "RoleBinding", to = "Role", in: namespace = "web" } = {},
) {
  const place = kind === "RoleBinding" ? `, namespace: ${namespace}` : "";
  return `\n---\n${RBAC}\nkind: ${kind}\nmetadata: {name: reader${place}}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ${to}, name: "system:reader"}\nsubjects: ${subjects}`;
}

const all = { kind: "ClusterRole" };
const rows: readonly [name: string, yaml: string, allowed: boolean][] = [
  ["a role and its binding", role() + binding(), true],
  ["a role that nobody is given", role(), false],
  ["a binding to no role", binding(), false],
  ["everything", role(`[{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]`) + binding(), true],
  [
    "reading by name",
    role(`[{apiGroups: [""], resources: [secrets], verbs: [get]}]`) + binding(),
    false,
  ],
  [
    "a list of some",
    role(`[{apiGroups: [""], resources: [secrets], resourceNames: [a], verbs: [list]}]`) +
      binding(),
    false,
  ],
  [
    "another API group",
    role(`[{apiGroups: [apps], resources: [secrets], verbs: [list]}]`) + binding(),
    false,
  ],
  [
    "another account",
    role() + binding("[{kind: ServiceAccount, name: other, namespace: web}]"),
    false,
  ],
  [
    "of another namespace",
    role() + binding("[{kind: ServiceAccount, name: caller, namespace: shop}]"),
    false,
  ],
  [
    "the account as a user",
    role() + binding("[{kind: User, name: 'system:serviceaccount:web:caller'}]"),
    true,
  ],
  [
    "all accounts of the namespace",
    role() + binding("[{kind: Group, name: 'system:serviceaccounts:web'}]"),
    true,
  ],
  ["a role of another namespace", role(LIST, { in: "shop" }) + binding(), false],
  [
    "a binding in another namespace",
    role() + role(LIST, { in: "shop" }) + binding(CALLER, { in: "shop" }),
    false,
  ],
  [
    "a cluster's role, bound in the namespace",
    role(LIST, all) + binding(CALLER, { to: "ClusterRole" }),
    true,
  ],
  [
    "a cluster's role, bound everywhere",
    role(LIST, all) + binding(CALLER, { kind: "ClusterRoleBinding", to: "ClusterRole" }),
    true,
  ],
];

for (const [name, yaml, allowed] of rows) {
  test(`Secrets: ${name}: ${allowed ? "may" : "may not"} be listed`, () => {
    const snapshot = snapshotOf(yaml);
    const reader = { namespace: "web", serviceAccount: "caller" };
    assert.equal(mayListSecrets(snapshot, reader), allowed);
  });
}
