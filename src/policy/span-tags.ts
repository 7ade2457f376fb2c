/** What stands in every span of a workload: who it is, as Istio says it, and the tags that users add. */
import type { CustomTag } from "../api/custom-tag.ts";
import type { MeshSettings } from "../api/mesh-settings.ts";
import type { OpenTelemetryCollector } from "../api/span-collector.ts";
import type { Workload } from "./workload.ts";
import type { SpanTag } from "./workload-view.ts";

type Tagged = Pick<Workload, "namespace" | "name" | "owner" | "labels" | "serviceAccount">;
type TagSettings = Pick<MeshSettings, "trustDomain" | "proxyMetadata">;

const UNKNOWN = "unknown";

/** `enableIstioTags` */
export function istioTags(
  { namespace, owner, labels }: Tagged,
  { trustDomain }: TagSettings,
): readonly SpanTag[] {
  const app = labels["app"] ?? labels["app.kubernetes.io/name"] ?? owner;
  const version = labels["version"] ?? labels["app.kubernetes.io/version"] ?? "latest";
  return [
    {
      name: "istio.canonical_revision",
      value: labels["service.istio.io/canonical-revision"] ?? version,
    },
    { name: "istio.canonical_service", value: labels["service.istio.io/canonical-name"] ?? app },
    { name: "istio.cluster_id", value: UNKNOWN },
    { name: "istio.mesh_id", value: trustDomain },
    { name: "istio.namespace", value: namespace },
  ];
}

/** Variables of a sidecar's environment are known here: what it is started with, and what Istio tells of the pod. */
export function spanTags(
  tags: readonly CustomTag[],
  { workload, settings }: { readonly workload: Tagged; readonly settings: TagSettings },
): readonly SpanTag[] {
  const environment = new Map(Object.entries(environmentOf(workload, settings)));
  return tags.flatMap((tag): readonly SpanTag[] => {
    const { name } = tag;
    if ("template" in tag) return [{ name, template: tag.template }];
    if ("header" in tag) return [{ name, header: tag.header, defaultValue: tag.defaultValue }];
    const value =
      "literal" in tag ? tag.literal : environment.get(tag.environment) || tag.defaultValue;
    return value === "" ? [] : [{ name, value }];
  });
}

function environmentOf(
  { namespace, name, owner, serviceAccount }: Tagged,
  { trustDomain, proxyMetadata }: TagSettings,
): Readonly<Record<string, string>> {
  return {
    POD_NAME: name,
    POD_NAMESPACE: namespace,
    SERVICE_ACCOUNT: serviceAccount,
    TRUST_DOMAIN: trustDomain,
    ISTIO_META_MESH_ID: trustDomain,
    ISTIO_META_WORKLOAD_NAME: owner,
    ...proxyMetadata,
  };
}

/** `service.name`: `app.namespace`, as Istio calls a sidecar's cluster, or by OpenTelemetry's conventions. */
export function serviceNameOf(
  { namespace, owner, labels }: Tagged,
  naming: OpenTelemetryCollector["serviceNaming"],
): string {
  if (naming === "istio") return `${labels["app"] || owner}.${namespace}`;
  return labels["app.kubernetes.io/instance"] || labels["app.kubernetes.io/name"] || owner;
}
