/** RoleBinding and ClusterRoleBinding: to whom a role is given. */
import type { Fields } from "./decoder.ts";
import type { ResourceMeta } from "./resource.ts";
import type { Role } from "./role.ts";

export interface RoleBinding {
  readonly kind: "RoleBinding" | "ClusterRoleBinding";
  readonly meta: ResourceMeta;
  readonly roleRef: { readonly kind: Role["kind"]; readonly name: string };
  readonly subjects: readonly RoleSubject[];
}

export interface RoleSubject {
  readonly kind: "ServiceAccount" | "User" | "Group";
  readonly name: string;
  /** Of a service account. */
  readonly namespace: string;
}

const SUBJECT_KINDS = ["ServiceAccount", "User", "Group"] as const;

export function roleBinding(
  kind: RoleBinding["kind"],
): (meta: ResourceMeta, root: Fields) => RoleBinding {
  return (meta, root) => {
    const ref = root.section("roleRef");
    ref.accept(["apiGroup"]);
    const isForAll = kind === "ClusterRoleBinding";
    return {
      kind,
      meta,
      roleRef: {
        kind: ref.choice(
          "kind",
          isForAll ? ["ClusterRole"] : ["Role", "ClusterRole"],
          "ClusterRole",
        ),
        name: ref.requiredText("name"),
      },
      subjects: root.list("subjects").map((subject) => roleSubject(subject, meta)),
    };
  };
}

/** A service account without a namespace is a fault to Kubernetes, and nobody. */
function roleSubject(fields: Fields, { namespace }: ResourceMeta): RoleSubject {
  fields.accept(["apiGroup"]);
  const kind = fields.choice("kind", SUBJECT_KINDS, "User");
  const own = fields.text("namespace") ?? "";
  if (kind === "ServiceAccount" && own === "") {
    const hint = namespace === "" ? "" : `, such as ${namespace}`;
    fields.report("namespace", `is missing; a service account has one${hint}`);
  }
  return { kind, name: fields.requiredText("name"), namespace: own };
}
