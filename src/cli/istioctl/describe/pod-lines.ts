/** What `x describe pod` says of the pod itself. */

import type { Labels, PodContainer, PodObject } from "./cluster-objects.ts";
import { type DescribedCluster, shortName } from "./description.ts";

/** The user that Istio's sidecar runs as. */
const PROXY_USER = 1337;
export const PROXY_CONTAINER = "istio-proxy";
const REQUIREMENTS = "https://istio.io/latest/docs/ops/deployment/application-requirements/";
const NAME_LABELS = ["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"];
const REVISION_LABELS = [
  "service.istio.io/canonical-revision",
  "app.kubernetes.io/version",
  "version",
];

export function podLines(pod: PodObject, cluster: DescribedCluster): readonly string[] {
  const { metadata, spec } = pod;
  const containers = spec?.containers ?? [];
  const ports = containers.flatMap(portsOf);
  const name = shortName(metadata, cluster);
  const head = [
    ...containers
      .filter(
        ({ name: own, securityContext }) =>
          own !== PROXY_CONTAINER && securityContext?.runAsUser === PROXY_USER,
      )
      .map(() => `WARNING: User ID (UID) ${PROXY_USER} is reserved for the sidecar proxy.`),
    `Pod: ${name}`,
    `   Pod Revision: ${revisionOf(metadata.labels, metadata.annotations)}`,
    ports.length > 0 ? `   Pod Ports: ${ports.join(", ")}` : "   Pod does not expose ports",
  ];
  const phase = pod.status?.phase ?? "";
  if (phase !== "Running") return [...head, `   Pod is not Running (${phase})`];
  return [...head, ...readiness(pod, name), ...ofTheMesh(pod, name)];
}

/** Whether it has a sidecar. */
export function isMeshed({ spec }: PodObject): boolean {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(
    ({ name }) => name === PROXY_CONTAINER,
  );
}

function portsOf({ name, ports = [] }: PodContainer): readonly string[] {
  return ports.map(({ containerPort, protocol = "" }) => {
    const spoken = protocol === "TCP" ? "" : `/${protocol}`;
    return `${containerPort}${spoken} (${name})`;
  });
}

function readiness({ status }: PodObject, name: string): readonly string[] {
  const { containerStatuses = [], initContainerStatuses = [] } = status ?? {};
  return [
    ...containerStatuses
      .filter(({ ready }) => !ready)
      .map((one) => `WARNING: Pod ${name} Container ${one.name} NOT READY`),
    ...initContainerStatuses
      .filter(({ ready }) => !ready)
      .map((one) => `WARNING: Pod ${name} Init Container ${one.name} NOT READY`),
  ];
}

function ofTheMesh(pod: PodObject, name: string): readonly string[] {
  if (!isMeshed(pod)) return [`WARNING: ${name} is not part of mesh; no Istio sidecar`];
  const labels = pod.metadata.labels ?? {};
  const lacks = (names: readonly string[]): boolean => names.every((one) => !(one in labels));
  const suggestion = (what: string): string =>
    `Suggestion: add required service ${what} label for Istio telemetry. See ${REQUIREMENTS}.`;
  return [
    ...(pod.spec?.securityContext?.runAsUser === PROXY_USER
      ? [`   WARNING: User ID (UID) ${PROXY_USER} is reserved for the sidecar proxy.`]
      : []),
    ...(lacks(NAME_LABELS) ? [suggestion("name")] : []),
    ...(lacks(REVISION_LABELS) ? [suggestion("revision")] : []),
  ];
}

/** The label, or what injection has noted. */
function revisionOf(labels: Labels = {}, annotations: Labels = {}): string {
  const label = labels["istio.io/rev"] ?? annotations["istio.io/rev"];
  if (label !== undefined) return label;
  try {
    const status: unknown = JSON.parse(annotations["sidecar.istio.io/status"] ?? "{}");
    return String((status as { readonly revision?: string }).revision ?? "");
  } catch {
    return "";
  }
}
