/** The endpoints of one port of a ServiceEntry: as it gives them, as it selects them, or as they are looked up. */
import { selects } from "../api/label-selector.ts";
import { plainAddress } from "../api/plain-address.ts";
import type { ServiceEntry, ServiceEntryPort } from "../api/service-entry.ts";
import type { WorkloadAddress } from "../api/workload-address.ts";
import type { WorkloadIdentityParts } from "../identity/spiffe-id.ts";
import { buildEndpoints, type EndpointSelection, TLS_MODE_LABEL } from "./destinations.ts";
import { type MeshSnapshot, ofScope, type SelectedWorkloads } from "./mesh-snapshot.ts";
import { composePeerAuthentication, mutualTlsOfPort, namespaceMutualTls } from "./mutual-tls.ts";
import type { LookedUpEndpoint } from "./service-entry-terms.ts";
import type { Workload } from "./workload.ts";
import type { Endpoint } from "./workload-view.ts";

export interface ServiceEntryQuestion {
  readonly entry: ServiceEntry;
  /** One of the entry's. */
  readonly host: string;
  readonly port: ServiceEntryPort;
  readonly endpoints: EndpointSelection;
}

export interface ServiceEntryEndpoints {
  readonly endpoints: readonly Endpoint[];
  readonly lookUp: readonly LookedUpEndpoint[];
}

/** Whose identities the endpoints of a ServiceEntry prove (TLS-34). */
export function accountsOf(
  snapshot: MeshSnapshot,
  entry: ServiceEntry,
): readonly Pick<WorkloadIdentityParts, "namespace" | "serviceAccount">[] {
  const { namespace } = entry.meta;
  const told = namedAddresses(snapshot, entry).flatMap(({ serviceAccount }) =>
    serviceAccount === undefined ? [] : [{ namespace, serviceAccount }],
  );
  return [...told, ...selectedPods(snapshot, entry)];
}

export function serviceEntryEndpoints(
  snapshot: MeshSnapshot,
  question: ServiceEntryQuestion,
): ServiceEntryEndpoints {
  const { entry, host, port } = question;
  if (entry.resolution === "NONE") return { endpoints: [], lookUp: [] };
  const named = namedAddresses(snapshot, entry);
  const givesNone = entry.endpoints.length === 0 && entry.workloadSelector === undefined;
  if (entry.resolution !== "STATIC" && givesNone) {
    const number = port.targetPort ?? port.number;
    const itself = { workload: host, host, port: number, mutualTls: false };
    return lookedUp(snapshot, itself, question);
  }
  const written = named.map((one) => ({
    workload: one.name,
    host: plainAddress(one.address) ?? one.address,
    port: portOf(one, port),
    mutualTls: speaksMutualTls(snapshot, { entry, address: one, port: portOf(one, port) }),
  }));
  const byName = entry.resolution === "STATIC" ? [] : written.filter((one) => !isAddress(one));
  const found = byName.map((one) => lookedUp(snapshot, one, question));
  return {
    endpoints: [
      ...written.filter(isAddress).map(endpointAt),
      ...found.flatMap((one) => one.endpoints),
      ...podEndpoints(snapshot, question),
    ],
    lookUp: found.flatMap((one) => one.lookUp),
  };
}

/** A service of the mesh is known here, and is called as a stranger to the mesh would; whoever else it is, a resolver must say. */
function lookedUp(
  snapshot: MeshSnapshot,
  named: LookedUpEndpoint,
  { endpoints }: Pick<ServiceEntryQuestion, "endpoints">,
): ServiceEntryEndpoints {
  const { host, port: number } = named;
  const selected = snapshot.services.find(({ service }) => hostOf(service.meta) === host);
  const port = selected?.service.ports.find((one) => one.port === number);
  if (selected === undefined || port === undefined) return { endpoints: [], lookUp: [named] };
  const found = buildEndpoints(snapshot, { selected, port, endpoints });
  return { endpoints: found.map((one) => ({ ...one, mutualTls: false })), lookUp: [] };
}

function hostOf({
  namespace,
  name,
}: {
  readonly namespace: string;
  readonly name: string;
}): string {
  return `${name}.${namespace}.svc.cluster.local`;
}

interface NamedAddress extends WorkloadAddress {
  readonly name: string;
}

/** The entry's own endpoints, or the WorkloadEntries that it selects. */
function namedAddresses(
  { workloadEntries }: MeshSnapshot,
  { meta, endpoints, workloadSelector }: ServiceEntry,
): readonly NamedAddress[] {
  const { namespace, name } = meta;
  const given = endpoints.map((one, index) => ({ ...one, name: `${name}-${index}` }));
  if (workloadSelector === undefined) return given;
  return (workloadEntries.get(namespace) ?? [])
    .filter(({ labels }) => selects(workloadSelector, labels))
    .map((one) => ({ ...one, name: one.meta.name }));
}

function selectedPods(
  { workloadsByNamespace }: MeshSnapshot,
  { meta, workloadSelector }: ServiceEntry,
): readonly Workload[] {
  if (workloadSelector === undefined) return [];
  const pods = workloadsByNamespace.get(meta.namespace) ?? [];
  return pods.filter(({ labels }) => selects(workloadSelector, labels));
}

/** Outside the mesh nobody speaks its TLS by itself (TLS-21). */
function podEndpoints(
  snapshot: MeshSnapshot,
  { entry, port, endpoints }: ServiceEntryQuestion,
): readonly Endpoint[] {
  const { meta, location } = entry;
  const { name, number, targetPort = number, protocol } = port;
  const selected: SelectedWorkloads = {
    service: {
      kind: "Service",
      meta,
      selector: {},
      ports: [],
      headless: false,
      publishNotReadyAddresses: false,
    },
    workloads: selectedPods(snapshot, entry),
  };
  const servicePort = { name, port: number, targetPort, protocol };
  return buildEndpoints(snapshot, { selected, port: servicePort, endpoints }).map(
    ({ hostname: _, ...endpoint }) => ({
      ...endpoint,
      mutualTls: endpoint.mutualTls && location === "MESH_INTERNAL",
    }),
  );
}

function portOf(
  { ports }: WorkloadAddress,
  { name, number, targetPort = number }: ServiceEntryPort,
): number {
  return (Object.hasOwn(ports, name) ? ports[name] : undefined) ?? targetPort;
}

function isAddress({ host }: LookedUpEndpoint): boolean {
  return plainAddress(host) !== undefined;
}

function endpointAt({ workload, host, port, mutualTls }: LookedUpEndpoint): Endpoint {
  return { workload, address: { address: host, port }, mutualTls };
}

/** TLS-21, TLS-25, TLS-26 */
function speaksMutualTls(
  { settings, peerAuthentications }: MeshSnapshot,
  {
    entry,
    address: { labels, serviceAccount },
    port,
  }: {
    readonly entry: ServiceEntry;
    readonly address: WorkloadAddress;
    readonly port: number;
  },
): boolean {
  const unlabelled = serviceAccount === undefined ? "disabled" : "istio";
  const mode = Object.hasOwn(labels, TLS_MODE_LABEL) ? labels[TLS_MODE_LABEL] : unlabelled;
  if (!settings.enableAutoMtls || entry.location !== "MESH_INTERNAL" || mode !== "istio") {
    return false;
  }
  const scope = { rootNamespace: settings.rootNamespace, namespace: entry.meta.namespace };
  const policies = ofScope(peerAuthentications, scope);
  if (namespaceMutualTls(policies, scope).mode === "DISABLE") return false;
  const composed = composePeerAuthentication(policies, { ...scope, labels });
  return mutualTlsOfPort(composed, port).mode !== "DISABLE";
}
