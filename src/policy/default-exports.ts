/**
 * Whom resources are for that do not say it themselves.
 * Source: `initServiceRegistry`, `initVirtualServices` and `setDestinationRules` in `pilot/pkg/model/push_context.go` of istio/istio
 */
import type { Exported } from "../api/export-to.ts";
import type { ResourceMeta } from "../api/resource.ts";

/**
 * A resource that nothing changes for stays the same object.
 *
 * @param written in the mesh configuration: "." is each one's own namespace, and goes before "*"; empty: all
 * @returns with words that Istio does not heed alone, they are for nobody
 */
export function withDefaultExport<R extends Exported & { readonly meta: ResourceMeta }>(
  resources: readonly R[],
  written: readonly string[] = [],
): readonly R[] {
  const own = written.includes(".");
  if (written.length === 0 || (!own && written.includes("*"))) return resources;
  return resources.map((one) =>
    one.exportedByDefault ? { ...one, exportTo: own ? [one.meta.namespace] : [] } : one,
  );
}
