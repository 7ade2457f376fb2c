/**
 * Role and ClusterRole: what may be done to resources. Here there is no API server to do it at: they say which sidecars may
 * be given the keys of Secrets, and nothing else.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import type { ResourceMeta } from "./resource.ts";

export interface Role {
  readonly kind: "Role" | "ClusterRole";
  readonly meta: ResourceMeta;
  readonly rules: readonly RoleRule[];
}

export interface RoleRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Empty: all. */
  readonly resourceNames: readonly string[];
  readonly verbs: readonly string[];
}

export function role(kind: Role["kind"]): (meta: ResourceMeta, root: Fields) => Role {
  return (meta, root) => {
    const rules = root.list("rules").map(roleRule);
    root.unused(["aggregationRule"]);
    root.noticeHere(
      `this ${kind} says who may be given the keys of Secrets; nothing else of it has an effect here`,
    );
    return { kind, meta, rules };
  };
}

/** Such names are parts of paths, and no DNS names: `system:basic-user`. */
export function roleNameProblem(name: string): string | undefined {
  const isGood = name !== "" && name !== "." && name !== ".." && !/[/%]/.test(name);
  return isGood ? undefined : `${quoted(name)} cannot be a part of a path`;
}

function roleRule(fields: Fields): RoleRule {
  fields.unused(["nonResourceURLs"]);
  return {
    apiGroups: fields.texts("apiGroups"),
    resources: fields.texts("resources"),
    resourceNames: fields.texts("resourceNames"),
    verbs: fields.texts("verbs"),
  };
}
