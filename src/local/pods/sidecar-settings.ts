/** What the user sets for single sidecars: the mesh's `proxyMetadata`, and the pod's own on top of it. */

import { parseGoDuration } from "../../api/go-duration.ts";
import { DEFAULT_MESH_SETTINGS } from "../../api/mesh-config.ts";
import { parseProxyMetadata } from "../../api/proxy-config.ts";
import type { Issue, PodOwner, Resource } from "../../api/resource.ts";

const DEFAULT_LIFETIME = "24h";
/** Shorter-lived certificates would do little but renew. */
const MIN_LIFETIME_MS = 2_000;
export const PROXY_CONFIG_ANNOTATION = "proxy.istio.io/config";

export interface SidecarSettings {
  readonly certificateLifetimeSeconds: number;
}

/** `SECRET_TTL`, a Go duration, is the certificate lifetime to ask for (CA-30). */
export function sidecarSettings(
  owner: PodOwner,
  resources: readonly Resource[],
): { readonly settings: SidecarSettings } | { readonly issue: Issue } {
  const mesh = resources.find((resource) => resource.kind === "MeshConfig");
  const annotation = owner.template.annotations[PROXY_CONFIG_ANNOTATION];
  const own = annotation === undefined ? {} : parseProxyMetadata(annotation);
  const refuse = (problem: string): { issue: Issue } => ({
    issue: {
      source: owner.meta.source,
      path: `spec.template.metadata.annotations["${PROXY_CONFIG_ANNOTATION}"]`,
      problem,
    },
  });
  if (typeof own === "string") return refuse(own);
  const { proxyMetadata } = mesh?.settings ?? DEFAULT_MESH_SETTINGS;
  const text = { SECRET_TTL: DEFAULT_LIFETIME, ...proxyMetadata, ...own }.SECRET_TTL;
  const lifetimeMs = parseGoDuration(text);
  if (lifetimeMs === undefined || lifetimeMs < MIN_LIFETIME_MS) {
    return refuse(`SECRET_TTL is "${text}"; expected a Go duration of at least 2s, such as 24h`);
  }
  return { settings: { certificateLifetimeSeconds: Math.round(lifetimeMs / 1000) } };
}
