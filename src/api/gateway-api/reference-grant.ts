/** ReferenceGrant: that routes and gateways of other namespaces may name Secrets and Services of its own. */
import type { Fields } from "../decoder.ts";
import type { ResourceMeta } from "../resource.ts";
import { labelNameProblem } from "../resource-names.ts";
import { mostItems, type ObjectReference } from "./gateway-api-values.ts";

export interface ReferenceGrant {
  readonly kind: "ReferenceGrant";
  readonly meta: ResourceMeta;
  readonly from: readonly {
    readonly group: string;
    readonly kind: string;
    readonly namespace: string;
  }[];
  readonly to: readonly {
    readonly group: string;
    readonly kind: string;
    /** Absent: all of the kind. */
    readonly name?: string;
  }[];
}

export function referenceGrant(meta: ResourceMeta, root: Fields): ReferenceGrant {
  const spec = root.section("spec");
  for (const name of ["from", "to"]) {
    if (spec.itemCount(name) === 0) spec.report(name, "must have at least one item");
    mostItems(spec, name, 16);
  }
  return {
    kind: "ReferenceGrant",
    meta,
    from: spec.list("from").map((from) => ({
      group: presentText(from, "group"),
      kind: from.requiredText("kind"),
      namespace: from.requiredText("namespace", labelNameProblem),
    })),
    to: spec.list("to").map((to) => {
      const name = to.text("name");
      return {
        group: presentText(to, "group"),
        kind: to.requiredText("kind"),
        ...(name !== undefined && name !== "" && { name }),
      };
    }),
  };
}

/** It must be there, though it may be empty. */
function presentText(fields: Fields, name: string): string {
  return fields.requiredText(name);
}

/** Who names something: its kind and namespace. */
export interface Referrer {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

/** Whether something may be named: in the referrer's own namespace always, elsewhere where a grant there says so. */
export function isGranted(
  grants: readonly ReferenceGrant[],
  { from, to }: { readonly from: Referrer; readonly to: ObjectReference },
): boolean {
  const { namespace = from.namespace } = to;
  if (namespace === from.namespace) return true;
  return grants.some(
    (grant) =>
      grant.meta.namespace === namespace &&
      grant.from.some(
        (one) =>
          one.group === from.group && one.kind === from.kind && one.namespace === from.namespace,
      ) &&
      grant.to.some(
        (one) =>
          one.group === to.group &&
          one.kind === to.kind &&
          (one.name === undefined || one.name === to.name),
      ),
  );
}
