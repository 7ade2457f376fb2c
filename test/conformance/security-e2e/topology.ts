/** The workloads of upstream's test frame, as the table's folder tells them, and those that a case adds. */
import { join } from "node:path";
import { readJson } from "../networkpolicy.ts";
import type { E2eCase, E2ePort, From, Mode, To } from "./e2e-case.ts";

export interface EchoPod {
  readonly namespace: string;
  /** Of the Deployment or StatefulSet, which has one pod. */
  readonly name: string;
  readonly serviceAccount: string;
  readonly sidecar: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly statefulSet: boolean;
  readonly address: string;
  /** It has no application. */
  readonly gateway?: boolean;
}

export interface EchoService {
  readonly namespace: string;
  readonly name: string;
  readonly headless: boolean;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly E2ePort[];
}

export interface Topology {
  readonly pods: readonly EchoPod[];
  readonly services: readonly EchoService[];
}

interface TopologyFile {
  readonly namespaces: Readonly<Record<string, { readonly injected?: boolean }>>;
  readonly workloads: Readonly<
    Record<
      string,
      {
        readonly serviceAccount: string;
        readonly sidecar: boolean;
        readonly headless: boolean;
        readonly statefulSet: boolean;
        readonly podIP: Readonly<Record<string, string>>;
        readonly labels: Readonly<Record<string, string>>;
      }
    >
  >;
  readonly ports: readonly E2ePort[];
}

const ROOT_NAMESPACE = "istio-system";
/** Which pod serves on each port behind the gateways' own services. */
const GATEWAY_PORTS: readonly E2ePort[] = [
  { name: "http", servicePort: 80, workloadPort: 8080, protocol: "HTTP" },
  // What a Gateway terminates there is HTTP.
  { name: "http-terminated", servicePort: 443, workloadPort: 8443, protocol: "HTTP" },
];
const SUBSET = /version=(\S+) \((sidecar|no sidecar)\)/g;

export function topologyOf(test: E2eCase, folder: string): Topology {
  const file = readJson<TopologyFile>(join(folder, "fixtures/topology.json"));
  const echo = echoTopology(file);
  const gateways = ["ingress", "egress"].map((way) => istioGateway(way));
  const known: Topology = {
    pods: [...echo.pods, ...gateways.map(({ pod }) => pod)],
    services: [...echo.services, ...gateways.map(({ service }) => service)],
  };
  return withLabels(withMissing(known, { test, ports: file.ports }), test);
}

function echoTopology({ workloads, ports }: TopologyFile): Topology {
  const rows = Object.entries(workloads).flatMap(([name, workload]) =>
    Object.entries(workload.podIP).map(([namespace, address]) => ({
      ...workload,
      namespace,
      name,
      address,
    })),
  );
  return {
    pods: rows,
    services: rows.map(({ namespace, name, headless, labels }) => ({
      namespace,
      name,
      headless,
      selector: labels,
      ports: headless ? ports.map(byWorkloadPort) : ports,
    })),
  };
}

/** Whoever calls a headless service calls the pod. */
function byWorkloadPort({ servicePort, ...port }: E2ePort): E2ePort {
  return { ...port, servicePort: servicePort === null ? null : (port.workloadPort ?? null) };
}

function istioGateway(way: string): { readonly pod: EchoPod; readonly service: EchoService } {
  const name = `istio-${way}gateway`;
  const selector = { app: name, istio: `${way}gateway` };
  return {
    pod: {
      namespace: ROOT_NAMESPACE,
      name,
      serviceAccount: `${name}-service-account`,
      sidecar: true,
      // A gateway's pod is not labelled by injection as others are (TLS-26).
      labels: { ...selector, "security.istio.io/tlsMode": "disabled" },
      statefulSet: false,
      address: way === "ingress" ? "10.44.9.1" : "10.44.9.2",
      gateway: way === "ingress",
    },
    service: { namespace: ROOT_NAMESPACE, name, headless: false, selector, ports: GATEWAY_PORTS },
  };
}

/** A case may name workloads of its own: a service of two versions, a gateway of the Gateway API, a plain server. */
function withMissing(
  topology: Topology,
  { test, ports }: { readonly test: E2eCase; readonly ports: readonly E2ePort[] },
): Topology {
  const { from, to, setup } = test;
  const wanted = [{ end: from }, { end: to, own: to.port }].flatMap(({ end, own }) =>
    addedWorkload(end, { ports, own, subsets: setup?.workload }),
  );
  return wanted.reduce((grown, added, index) => {
    const { namespace, name } = added.service;
    const isThere = grown.services.some(
      (service) => service.namespace === namespace && service.name === name,
    );
    if (isThere) return grown;
    const pods = added.pods.map((pod, place) => ({
      ...pod,
      address: `10.44.3.${10 * index + place + 1}`,
    }));
    return { pods: [...grown.pods, ...pods], services: [...grown.services, added.service] };
  }, topology);
}

interface AddedWorkload {
  readonly pods: readonly Omit<EchoPod, "address">[];
  readonly service: EchoService;
}

function addedWorkload(
  { ns, workload, sidecar, mode, ...end }: From | To,
  {
    ports,
    own,
    subsets = "",
  }: {
    readonly ports: readonly E2ePort[];
    readonly own: E2ePort | undefined;
    readonly subsets: string | undefined;
  },
): readonly AddedWorkload[] {
  if (ns === undefined || workload === undefined) return [];
  const isGateway = end["external"] === true;
  const selector = { app: workload };
  const pod = {
    namespace: ns,
    name: workload,
    serviceAccount: typeof end["sa"] === "string" ? end["sa"] : workload,
    sidecar: mode === undefined ? sidecar !== false : isInMesh(mode),
    labels: isGateway ? { ...selector, ...gatewayLabels(workload) } : selector,
    statefulSet: false,
    gateway: isGateway,
  };
  const versions = [...subsets.matchAll(SUBSET)].map(([, version = "", kind]) => ({
    ...pod,
    name: `${workload}-${version}`,
    sidecar: kind === "sidecar",
    labels: { ...selector, version },
  }));
  const served = isGateway ? GATEWAY_PORTS : servedPorts(ports, own);
  const service = { namespace: ns, name: workload, headless: false, selector, ports: served };
  return [{ pods: versions.length > 0 ? versions : [pod], service }];
}

function isInMesh(mode: Mode): boolean {
  return mode !== "none";
}

/** The Gateway API names the pods of a gateway `NAME-CLASS`. */
function gatewayLabels(workload: string): Readonly<Record<string, string>> {
  return {
    "gateway.networking.k8s.io/gateway-name": workload.replace(/-[^-]+$/, ""),
    "security.istio.io/tlsMode": "disabled",
  };
}

/** The ports of all; and the case's own, where that is none of them. */
function servedPorts(ports: readonly E2ePort[], own: E2ePort | undefined): readonly E2ePort[] {
  const isDialled = own?.workloadPort !== undefined && own.note !== "dialled by pod IP";
  if (!isDialled || ports.some(({ workloadPort }) => workloadPort === own.workloadPort))
    return ports;
  const kept = ports.filter(
    ({ name, servicePort }) => name !== own.name && servicePort !== own.servicePort,
  );
  return [...kept, { ...own, servicePort: own.servicePort ?? own.workloadPort }];
}

function withLabels(topology: Topology, { setup }: E2eCase): Topology {
  const added = setup?.addWorkloadLabels ?? {};
  const pods = topology.pods.map((pod) => ({
    ...pod,
    labels: { ...pod.labels, ...added[`${pod.namespace}/${pod.name}`] },
  }));
  return { ...topology, pods };
}
