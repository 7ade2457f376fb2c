/** Which mode the PeerAuthentications of a pod come to (PA-1), and which they are. */
import {
  type ClusterObjects,
  hasLabels,
  type Labels,
  namespaceOf,
  type PeerAuthenticationObject,
} from "./cluster-objects.ts";

const DEFAULT_ROOT = "istio-system";
const DEFAULT_MODE = "PERMISSIVE";

export function peerAuthenticationLines(
  objects: ClusterObjects,
  pod: { readonly namespace: string; readonly labels: Labels },
): readonly string[] {
  const root = rootNamespaceOf(objects);
  const places = [...new Set([root, pod.namespace])];
  const applied = places
    .flatMap((place) =>
      objects.peerauthentications.filter(({ metadata }) => namespaceOf(metadata) === place),
    )
    .filter(({ spec }) => hasLabels(pod.labels, spec?.selector?.matchLabels));
  const { mode, ports } = effective(applied, { root, namespace: pod.namespace });
  const names = applied.map(({ metadata }) => `${metadata.name}.${namespaceOf(metadata)}`);
  return [
    "Effective PeerAuthentication:",
    `   Workload mTLS mode: ${mode}`,
    ...(ports.length > 0 ? ["   Port Level mTLS mode:"] : []),
    ...ports.map((one) => `      ${one.port}: ${one.mode}`),
    ...(names.length > 0 ? ["Applied PeerAuthentication:", `   ${names.join(", ")}`] : []),
  ];
}

/** As the mesh configuration says. */
function rootNamespaceOf({ configmaps }: ClusterObjects): string {
  const mesh = configmaps.find(
    ({ metadata }) => metadata.name === "istio" && namespaceOf(metadata) === DEFAULT_ROOT,
  );
  return (
    /^rootNamespace: *["']?([a-z0-9-]+)/m.exec(mesh?.data?.["mesh"] ?? "")?.[1] ?? DEFAULT_ROOT
  );
}

interface Effective {
  readonly mode: string;
  readonly ports: readonly { readonly port: string; readonly mode: string }[];
}

/** The mesh's, then the namespace's, then the workload's; of several of one kind the oldest. */
function effective(
  applied: readonly PeerAuthenticationObject[],
  { root, namespace }: { readonly root: string; readonly namespace: string },
): Effective {
  const byAge = applied.toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
  const selects = ({ spec }: PeerAuthenticationObject): boolean =>
    Object.keys(spec?.selector?.matchLabels ?? {}).length > 0;
  const wide = (place: string): PeerAuthenticationObject | undefined =>
    byAge.find((one) => namespaceOf(one.metadata) === place && !selects(one));
  const workload = byAge.find((one) => namespaceOf(one.metadata) === namespace && selects(one));
  const modes = [wide(root), wide(namespace), workload].map((one) => one?.spec?.mtls?.mode);
  const mode = modes.findLast((one) => one !== undefined && one !== "UNSET") ?? DEFAULT_MODE;
  const ports = Object.entries(workload?.spec?.portLevelMtls ?? {}).map(([port, own]) => ({
    port,
    mode: own.mode === undefined || own.mode === "UNSET" ? mode : own.mode,
  }));
  return { mode, ports };
}

function orderOf({ metadata }: PeerAuthenticationObject): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.name}`;
}
