/** What a workload may call, and how: every port of every service, its endpoints, and who may answer there. */
import type { Service, ServicePort } from "../api/service.ts";
import { acceptedIdentities } from "./accepted-identities.ts";
import { effectivePeerAuthentication } from "./effective-policy.ts";
import { type MeshSnapshot, ofScope, type SelectedWorkloads } from "./mesh-snapshot.ts";
import { mutualTlsOfPort, namespaceMutualTls } from "./mutual-tls.ts";
import { podHostname } from "./pod-domain.ts";
import { withRemoteServices } from "./remote-destinations.ts";
import { serverNameOf, serviceHost } from "./service-host.ts";
import { targetContainerPort } from "./service-target.ts";
import type { Workload } from "./workload.ts";
import type { Destination, Endpoint } from "./workload-view.ts";

/** By which a workload says whether it speaks the mesh's TLS; injection sets it to "istio" when absent (TLS-26). */
export const TLS_MODE_LABEL = "security.istio.io/tlsMode";

/**
 * Which workloads behind a service are endpoints: those that are ready (or all of a service that publishes them before),
 * or all, for questions about a mesh at rest.
 */
export type EndpointSelection = "ready" | "all";

/**
 * One destination for each service port, in the order of services, with automatic mutual TLS; what only other clusters
 * have follows. The same for every caller, but for its listeners and what DestinationRules tell it.
 */
export function buildDestinations(
  snapshot: MeshSnapshot,
  endpoints: EndpointSelection = "ready",
): readonly Destination[] {
  const own = snapshot.services.flatMap((selected) =>
    selected.service.ports.map((port) => buildDestination(snapshot, { selected, port, endpoints })),
  );
  return withRemoteServices(own, snapshot);
}

/** The destinations of one caller: with the sockets where its own sidecar listens for them; the same list where there are none. */
export function withListeners(
  destinations: readonly Destination[],
  { outboundListeners }: Pick<Workload, "outboundListeners">,
): readonly Destination[] {
  if (outboundListeners.length === 0) return destinations;
  const listeners = new Map(
    outboundListeners.map((each) => [
      `${each.serviceNamespace}/${each.serviceName}:${each.servicePort}`,
      each.listen,
    ]),
  );
  return destinations.map((destination) => {
    const { serviceNamespace, serviceName, servicePort } = destination;
    const listen = listeners.get(`${serviceNamespace}/${serviceName}:${servicePort}`);
    return listen === undefined ? destination : { ...destination, listen };
  });
}

export interface ServicePortQuestion {
  readonly selected: SelectedWorkloads;
  readonly port: ServicePort;
  readonly endpoints: EndpointSelection;
}

function buildDestination(
  snapshot: MeshSnapshot,
  { selected, port, endpoints }: ServicePortQuestion,
): Destination {
  const { namespace, name } = selected.service.meta;
  const host = serviceHost({ namespace, name });
  return {
    serviceNamespace: namespace,
    serviceName: name,
    host,
    servicePort: port.port,
    protocol: port.protocol,
    ...addressesOf(snapshot, selected.service),
    identities: acceptedIdentities(snapshot.settings, selected.workloads),
    serverName: serverNameOf(host, port.port),
    endpoints: buildEndpoints(snapshot, { selected, port, endpoints }),
  };
}

/** Nothing where pods share the machine's loopback: there a service has no address. */
function addressesOf(
  { serviceAddresses }: MeshSnapshot,
  { meta: { namespace, name }, headless }: Service,
): Pick<Destination, "addresses" | "headless"> {
  if (serviceAddresses === undefined) return {};
  if (headless) return { addresses: [], headless: true };
  const key = `${namespace}/${name}`;
  const own = Object.hasOwn(serviceAddresses, key) ? serviceAddresses[key] : undefined;
  return { addresses: own === undefined ? [] : [own.ipv4, own.ipv6] };
}

/** Of one service port, in the order of workloads; those of this mesh alone. */
export function buildEndpoints(
  snapshot: MeshSnapshot,
  { selected, port, endpoints }: ServicePortQuestion,
): Endpoint[] {
  const { service, workloads } = selected;
  const onlyReady = endpoints === "ready" && !service.publishNotReadyAddresses;
  return workloads.flatMap((workload) => {
    if (onlyReady && !workload.ready) return [];
    const target = targetContainerPort(port, workload);
    if (target === undefined) return [];
    return {
      workload: workload.name,
      address: target.listen,
      ...namesOf(snapshot, { workload, service }),
      mutualTls: originatesMutualTls(snapshot, { workload, containerPort: target.containerPort }),
    };
  });
}

/** By what a pod that has addresses of its own is called. */
function namesOf(
  { podDomains }: MeshSnapshot,
  { workload, service }: { readonly workload: Workload; readonly service: Service },
): Pick<Endpoint, "podAddresses" | "hostname"> {
  if (workload.addresses === undefined) return {};
  const { ipv4, ipv6 } = workload.addresses;
  const hostname = podHostname(podDomains, { workload, service });
  return { podAddresses: [ipv4, ipv6], ...(hostname !== undefined && { hostname }) };
}

/**
 * Whether callers with a sidecar speak mutual TLS to an endpoint (TLS-20..TLS-28): the mesh does it by itself, the
 * namespace does not disable it for all its services, the pod speaks it, and the port does not disable it.
 */
function originatesMutualTls(
  snapshot: MeshSnapshot,
  { workload, containerPort }: { readonly workload: Workload; readonly containerPort: number },
): boolean {
  const { settings, peerAuthentications } = snapshot;
  if (!settings.enableAutoMtls || tlsModeOf(workload) !== "istio") return false;
  const scope = { rootNamespace: settings.rootNamespace, namespace: workload.namespace };
  const hint = namespaceMutualTls(ofScope(peerAuthentications, scope), scope);
  if (hint.mode === "DISABLE") return false;
  const effective = effectivePeerAuthentication(snapshot, workload);
  return mutualTlsOfPort(effective, containerPort).mode !== "DISABLE";
}

/** TLS-26: the templates of gateways set no such label, as each server says for itself what it speaks. */
function tlsModeOf({ labels, injected, gateway }: Workload): string {
  return labels[TLS_MODE_LABEL] ?? (injected && !gateway ? "istio" : "disabled");
}
