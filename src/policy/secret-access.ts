/** Whether a service account may list the Secrets of its namespace, as Istio asks the API server before it gives them to a sidecar. */

import type { Role, RoleRule } from "../api/role.ts";
import type { RoleBinding, RoleSubject } from "../api/role-binding.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import type { Workload } from "./workload.ts";

export type SecretReader = Pick<Workload, "namespace" | "serviceAccount">;

export function mayListSecrets(
  { roles, roleBindings }: Pick<MeshSnapshot, "roles" | "roleBindings">,
  reader: SecretReader,
): boolean {
  return roleBindings.some((binding) => {
    if (!isThere(binding, reader.namespace)) return false;
    if (!binding.subjects.some((subject) => names(subject, reader))) return false;
    return roles.some((role) => isMeant(role, binding) && role.rules.some(listsSecrets));
  });
}

function isThere({ kind, meta }: RoleBinding, namespace: string): boolean {
  return kind === "ClusterRoleBinding" || meta.namespace === namespace;
}

function isMeant({ kind, meta }: Role, { roleRef, meta: of }: RoleBinding): boolean {
  if (kind !== roleRef.kind || meta.name !== roleRef.name) return false;
  return kind === "ClusterRole" || meta.namespace === of.namespace;
}

function names(
  { kind, name, namespace }: RoleSubject,
  { namespace: own, serviceAccount }: SecretReader,
): boolean {
  switch (kind) {
    case "ServiceAccount":
      return name === serviceAccount && namespace === own;
    case "User":
      return name === `system:serviceaccount:${own}:${serviceAccount}`;
    case "Group":
      return [
        "system:serviceaccounts",
        `system:serviceaccounts:${own}`,
        "system:authenticated",
      ].includes(name);
  }
}

/** A rule for some by name says nothing of a list of all. */
function listsSecrets({ apiGroups, resources, resourceNames, verbs }: RoleRule): boolean {
  return (
    hasAny(apiGroups, "") &&
    hasAny(resources, "secrets") &&
    hasAny(verbs, "list") &&
    resourceNames.length === 0
  );
}

function hasAny(written: readonly string[], wanted: string): boolean {
  return written.includes(wanted) || written.includes("*");
}
