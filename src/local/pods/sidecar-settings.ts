/** What the user sets for single sidecars: what the mesh's `defaultConfig` says, and the pod's own on top of it. */

import { parseGoDuration } from "../../api/go-duration.ts";
import { DEFAULT_MESH_SETTINGS } from "../../api/mesh-settings.ts";
import { PROXY_CONFIG_ANNOTATION, parseProxyConfig } from "../../api/proxy-config.ts";
import type { Issue, PodOwner, Resource } from "../../api/resource.ts";
import { DEFAULT_RENEWAL, type RenewalRatios } from "../../identity/rotation-schedule.ts";

const DEFAULT_LIFETIME = "24h";
const GRACE = "SECRET_GRACE_PERIOD_RATIO";
const JITTER = "SECRET_GRACE_PERIOD_RATIO_JITTER";
/** Shorter-lived certificates would do little but renew. */
const MIN_LIFETIME_MS = 2_000;

export interface SidecarSettings {
  readonly certificateLifetimeSeconds: number;
  /** Absent: as Istio does by default. */
  readonly renewal?: RenewalRatios;
  /** How many processes share its ports; 0: one for each core. */
  readonly concurrency: number;
}

/**
 * `SECRET_TTL`, a Go duration, is the certificate lifetime to ask for (CA-30); `SECRET_GRACE_PERIOD_RATIO` and its
 * jitter, 0 to 1, say when it is renewed (CA-31).
 */
export function sidecarSettings(
  owner: PodOwner,
  resources: readonly Resource[],
): { readonly settings: SidecarSettings } | { readonly issue: Issue } {
  const mesh = resources.find((resource) => resource.kind === "MeshConfig");
  const annotation = owner.template.annotations[PROXY_CONFIG_ANNOTATION];
  const own = parseProxyConfig(annotation ?? "");
  const refuse = (problem: string): { issue: Issue } => ({
    issue: {
      source: owner.meta.source,
      path: `spec.template.metadata.annotations["${PROXY_CONFIG_ANNOTATION}"]`,
      problem,
    },
  });
  if (typeof own === "string") return refuse(own);
  const { proxyMetadata, ...defaults } = mesh?.settings ?? DEFAULT_MESH_SETTINGS;
  const metadata: Readonly<Record<string, string>> = {
    ...proxyMetadata,
    ...own.proxyMetadata,
  };
  const text = metadata["SECRET_TTL"] ?? DEFAULT_LIFETIME;
  const lifetimeMs = parseGoDuration(text);
  if (lifetimeMs === undefined || lifetimeMs < MIN_LIFETIME_MS) {
    return refuse(`SECRET_TTL is "${text}"; expected a Go duration of at least 2s, such as 24h`);
  }
  const renewal = renewalRatios(metadata);
  if (typeof renewal === "string") return refuse(renewal);
  const certificateLifetimeSeconds = Math.round(lifetimeMs / 1000);
  const { concurrency = defaults.concurrency } = own;
  return { settings: { certificateLifetimeSeconds, concurrency, ...(renewal && { renewal }) } };
}

/** @returns undefined when neither is given; or, as a text, what is wrong */
function renewalRatios(
  metadata: Readonly<Record<string, string>>,
): RenewalRatios | string | undefined {
  const { [GRACE]: grace, [JITTER]: jitter } = metadata;
  if (grace === undefined && jitter === undefined) return undefined;
  for (const [name, text] of [
    [GRACE, grace],
    [JITTER, jitter],
  ] as const) {
    if (text !== undefined && !isRatio(text)) {
      return `${name} is "${text}"; expected a number from 0 to 1`;
    }
  }
  return {
    graceRatio: Number(grace ?? DEFAULT_RENEWAL.graceRatio),
    jitterRatio: Number(jitter ?? DEFAULT_RENEWAL.jitterRatio),
  };
}

function isRatio(text: string): boolean {
  return /^[0-9.]+$/.test(text) && Number(text) >= 0 && Number(text) <= 1;
}
