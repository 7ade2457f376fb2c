/** ProxyConfig: how many processes sidecars have and what their settings are, of a mesh, a namespace or some of its pods. */
import type { Fields } from "./decoder.ts";
import { workloadSelector } from "./label-selector.ts";
import type { Labels, ResourceMeta } from "./resource.ts";

export interface ProxyConfigResource {
  readonly kind: "ProxyConfig";
  readonly meta: ResourceMeta;
  /** Empty selects every pod of the namespace; in the root namespace, of the mesh. */
  readonly selector: Labels;
  /** How many processes share a sidecar's ports; 0: one for each core. Absent: it says nothing of it. */
  readonly concurrency?: number;
  /** As `proxyMetadata` elsewhere: `SECRET_TTL` and the like. */
  readonly environmentVariables: Readonly<Record<string, string>>;
}

export function proxyConfigResource(meta: ResourceMeta, root: Fields): ProxyConfigResource {
  const spec = root.section("spec");
  const concurrency = spec.integer("concurrency", { min: 0, max: 2 ** 31 - 1 });
  const variables = spec.section("environmentVariables");
  const environmentVariables = Object.fromEntries(
    variables.names().map((name) => [name, variables.text(name) ?? ""]),
  );
  if (spec.has("image")) spec.notice("image", "sidecars here have no image: it changes nothing");
  spec.accept(["image"]);
  return {
    kind: "ProxyConfig",
    meta,
    selector: workloadSelector(spec),
    environmentVariables,
    ...(concurrency !== undefined && { concurrency }),
  };
}
