/** What the user sets for single sidecars: what the mesh's `defaultConfig` says, ProxyConfigs, and the pod's annotation. */

import { parseGoDuration } from "../../api/go-duration.ts";
import { selects } from "../../api/label-selector.ts";
import { DEFAULT_MESH_SETTINGS } from "../../api/mesh-settings.ts";
import { PROXY_CONFIG_ANNOTATION, parseProxyConfig } from "../../api/proxy-config.ts";
import type { ProxyConfigResource } from "../../api/proxy-config-resource.ts";
import type { Issue, PodOwner, Resource } from "../../api/resource.ts";
import { DEFAULT_RENEWAL, type RenewalRatios } from "../../identity/rotation-schedule.ts";
import { ofKind } from "../../policy/mesh-snapshot.ts";
import { byAge } from "../../policy/mutual-tls.ts";

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
  const defaults = mesh?.settings ?? DEFAULT_MESH_SETTINGS;
  const { ofMesh, ofNamespace, ofPod } = proxyConfigsOf(owner, {
    resources,
    rootNamespace: defaults.rootNamespace,
  });
  const metadata: Readonly<Record<string, string>> = {
    ...defaults.proxyMetadata,
    ...ofMesh?.environmentVariables,
    ...ofNamespace?.environmentVariables,
    ...own.proxyMetadata,
    ...ofPod?.environmentVariables,
  };
  const text = metadata["SECRET_TTL"] ?? DEFAULT_LIFETIME;
  const lifetimeMs = parseGoDuration(text);
  if (lifetimeMs === undefined || lifetimeMs < MIN_LIFETIME_MS) {
    return refuse(`SECRET_TTL is "${text}"; expected a Go duration of at least 2s, such as 24h`);
  }
  const renewal = renewalRatios(metadata);
  if (typeof renewal === "string") return refuse(renewal);
  const certificateLifetimeSeconds = Math.round(lifetimeMs / 1000);
  const concurrency = [ofPod, own, ofNamespace, ofMesh, defaults].find(
    (said) => said?.concurrency !== undefined,
  )?.concurrency;
  return {
    settings: {
      certificateLifetimeSeconds,
      concurrency: concurrency ?? DEFAULT_MESH_SETTINGS.concurrency,
      ...(renewal && { renewal }),
    },
  };
}

/**
 * The ProxyConfigs that count for a pod: the oldest of each level. What the annotation says counts for more than a
 * namespace's, and for less than one that selects the pod.
 */
function proxyConfigsOf(
  { meta, template }: PodOwner,
  {
    resources,
    rootNamespace,
  }: { readonly resources: readonly Resource[]; readonly rootNamespace: string },
): Partial<Record<"ofMesh" | "ofNamespace" | "ofPod", ProxyConfigResource>> {
  const all = ofKind(resources, "ProxyConfig").sort(byAge);
  const ofWhole = (namespace: string): ProxyConfigResource | undefined =>
    all.find((one) => one.meta.namespace === namespace && isForAll(one));
  const ofMesh = ofWhole(rootNamespace);
  const ofNamespace = meta.namespace === rootNamespace ? undefined : ofWhole(meta.namespace);
  const ofPod = all.find(
    (one) =>
      one.meta.namespace === meta.namespace &&
      !isForAll(one) &&
      selects(one.selector, template.labels),
  );
  return {
    ...(ofMesh && { ofMesh }),
    ...(ofNamespace && { ofNamespace }),
    ...(ofPod && { ofPod }),
  };
}

function isForAll({ selector }: ProxyConfigResource): boolean {
  return Object.keys(selector).length === 0;
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
