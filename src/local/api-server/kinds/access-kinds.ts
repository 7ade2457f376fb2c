/** Who may do what: the kinds of `rbac.authorization.k8s.io`. */
import { ageColumn, CREATED_AT_COLUMNS, column, nameColumn, wide } from "./columns.ts";
import { listAt, textAt } from "./json-access.ts";
import { builtIn } from "./kind-parts.ts";
import type { KubernetesObject } from "./kubernetes-object.ts";
import type { PrinterColumn, ServedKind } from "./served-kind.ts";
import { structureOf } from "./structure-of.ts";

const group = "rbac.authorization.k8s.io";

function bindingColumns(kind: "roleBinding" | "clusterRoleBinding"): readonly PrinterColumn[] {
  const names = (subject: string) => (binding: KubernetesObject) =>
    listAt(binding, "subjects")
      .filter((one) => textAt(one, "kind") === subject)
      .map((one) => {
        const [namespace, name] = [textAt(one, "namespace"), textAt(one, "name")];
        return subject === "ServiceAccount" && namespace !== "" ? `${namespace}/${name}` : name;
      })
      .join(", ");
  return [
    nameColumn,
    column(
      "Role",
      kind === "roleBinding"
        ? "RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error."
        : "RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.",
      (binding) => `${textAt(binding, "roleRef", "kind")}/${textAt(binding, "roleRef", "name")}`,
    ),
    ageColumn,
    column("Users", `Users in the ${kind}`, names("User"), wide),
    column("Groups", `Groups in the ${kind}`, names("Group"), wide),
    column("ServiceAccounts", `ServiceAccounts in the ${kind}`, names("ServiceAccount"), wide),
  ];
}

export const ACCESS_KINDS: readonly ServedKind[] = [
  builtIn({
    group,
    kind: "Role",
    plural: "roles",
    structure: structureOf("Role"),
    columns: CREATED_AT_COLUMNS,
  }),
  builtIn({
    group,
    kind: "RoleBinding",
    plural: "rolebindings",
    structure: structureOf("RoleBinding"),
    columns: bindingColumns("roleBinding"),
  }),
  builtIn({
    group,
    kind: "ClusterRole",
    plural: "clusterroles",
    namespaced: false,
    structure: structureOf("ClusterRole"),
    columns: CREATED_AT_COLUMNS,
  }),
  builtIn({
    group,
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    namespaced: false,
    structure: structureOf("ClusterRoleBinding"),
    columns: bindingColumns("clusterRoleBinding"),
  }),
];
