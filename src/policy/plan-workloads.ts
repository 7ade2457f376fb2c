/** Which workloads the resources ask for, and where their ports go. Pure: whoever calls decides about addresses. */
import { injectionDecision } from "../api/injection-decision.ts";
import { isGatewayTemplate, isManagedGateway } from "../api/injection-templates.ts";
import { PROXY_CONFIG_ANNOTATION, parseProxyConfig } from "../api/proxy-config.ts";
import type { Labels, PodOwner, Resource } from "../api/resource.ts";
import type { Service } from "../api/service.ts";
import { POD_INDEX_LABEL, POD_NAME_LABEL } from "../api/stateful-set.ts";
import { isBehind, ofKind } from "./mesh-snapshot.ts";
import { OF_DEPLOYMENT, OF_JOB, SECOND_TURN } from "./pod-names.ts";
import type {
  IpAddresses,
  OutboundListener,
  SocketAddress,
  Workload,
  WorkloadPort,
} from "./workload.ts";

export interface Placement {
  /**
   * Where to listen, by purpose: `NS/POD/listen/PORT`, `NS/POD/application/PORT`,
   * `NS/POD/outbound/SVCNS/SVC:PORT` or `NS/POD/http-proxy`. Asked once a key, and not for pods with addresses.
   */
  place(key: string): SocketAddress;
  /** Unique id of the pod `NS/POD`. */
  uid(key: string): string;
  /**
   * Of the pod `NS/POD`, whose connections are then led to its sidecar by the kernel; undefined, or no such function,
   * where it shares the machine's loopback.
   */
  addresses?(key: string): IpAddresses | undefined;
  /**
   * Which of the two names of a Deployment's pod `NS/POD` it has now: one that takes the place of another runs beside it
   * for a while. "first" without such a function.
   */
  turn?(key: string): PodTurn;
}

export type PodTurn = "first" | "second";

/**
 * Each StatefulSet and each Deployment gives `replicas` workloads, named `<owner>-<index>` from 0; each Job gives one,
 * `<job>-0`, or none when it needs no completion. Of several owners of one name, StatefulSets come first, then
 * Deployments; the pods of what comes later are told apart by a suffix, such as `<job>-0-job`.
 */
export function planWorkloads(resources: readonly Resource[], placement: Placement): Workload[] {
  const deployments = ofKind(resources, "Deployment");
  const statefulSets = ofKind(resources, "StatefulSet");
  const jobs = ofKind(resources, "Job").filter(({ completions }) => completions > 0);
  const stateful = new Set(statefulSets.map(nameOf));
  const lasting = new Set([...stateful, ...deployments.map(nameOf)]);
  const planned = {
    services: ofKind(resources, "Service"),
    namespaceLabels: new Map(
      ofKind(resources, "Namespace").map(({ meta }) => [meta.name, meta.labels]),
    ),
    placement,
  };
  const planOwner = (owner: PodOwner, suffix = ""): Workload[] =>
    Array.from({ length: podCount(owner) }, (_, index) =>
      planWorkload({ ...planned, owner, index, suffix }),
    );
  return [
    ...deployments.flatMap((each) =>
      planOwner(each, stateful.has(nameOf(each)) ? OF_DEPLOYMENT : ""),
    ),
    ...statefulSets.flatMap((each) => planOwner(each)),
    ...jobs.flatMap((each) => planOwner(each, lasting.has(nameOf(each)) ? OF_JOB : "")),
  ];
}

/** What a workload was made from, with its pod template and where that is written. */
export function podTemplateOf(
  resources: readonly Resource[],
  { namespace, owner, ownerKind }: Pick<Workload, "namespace" | "owner" | "ownerKind">,
): PodOwner | undefined {
  return ofKind(resources, ownerKind).find(
    ({ meta }) => meta.namespace === namespace && meta.name === owner,
  );
}

interface Plan {
  readonly owner: PodOwner;
  readonly index: number;
  /** After the index. */
  readonly suffix: string;
  readonly services: readonly Service[];
  readonly namespaceLabels: ReadonlyMap<string, Labels>;
  readonly placement: Placement;
}

function nameOf({ meta }: PodOwner): string {
  return `${meta.namespace}/${meta.name}`;
}

function podCount(owner: PodOwner): number {
  return owner.kind === "Job" ? 1 : owner.replicas;
}

function planWorkload(plan: Plan): Workload {
  const { owner, placement } = plan;
  const { kind, meta, template } = owner;
  const name = podName(plan);
  const key = `${meta.namespace}/${name}`;
  const labels = labelsOf(plan, name);
  const injected = isInjected(plan, labels);
  const gateway = injected && isGatewayTemplate(template);
  const pod = { ...plan, key, labels, injected, gateway };
  return {
    namespace: meta.namespace,
    name,
    uid: placement.uid(key),
    owner: meta.name,
    ownerKind: kind,
    labels,
    serviceAccount: template.serviceAccountName,
    injected,
    ...(gateway && { gateway }),
    ready: true,
    ...ownProxySettings(owner, gateway),
    ...planSockets(pod),
  };
}

function podName({ owner: { kind, meta }, index, suffix, placement }: Plan): string {
  const name = `${meta.name}-${index}${suffix}`;
  if (kind !== "Deployment" || placement.turn === undefined) return name;
  return placement.turn(`${meta.namespace}/${name}`) === "first" ? name : `${name}${SECOND_TURN}`;
}

/** An annotation that cannot be read is refused where the mesh is planned. */
function ownProxySettings(
  { template }: PodOwner,
  gateway: boolean,
): Pick<Workload, "proxyHeaders" | "gatewayTopology"> {
  const own = parseProxyConfig(template.annotations[PROXY_CONFIG_ANNOTATION] ?? "");
  if (typeof own === "string") return {};
  const { proxyHeaders, gatewayTopology } = own;
  return {
    ...(proxyHeaders && { proxyHeaders }),
    ...(gateway && gatewayTopology && { gatewayTopology }),
  };
}

function labelsOf({ owner: { kind, template }, index }: Plan, name: string): Labels {
  if (kind !== "StatefulSet") return template.labels;
  return { ...template.labels, [POD_NAME_LABEL]: name, [POD_INDEX_LABEL]: String(index) };
}

function isInjected({ owner: { meta, template }, namespaceLabels }: Plan, labels: Labels): boolean {
  if (isGatewayTemplate(template) && isManagedGateway(template)) return true;
  return injectionDecision({
    namespaceLabels: namespaceLabels.get(meta.namespace) ?? {},
    podLabels: labels,
    podAnnotations: template.annotations,
    hostNetwork: template.hostNetwork,
    namespace: meta.namespace,
  }).inject;
}

interface PodPlan extends Plan {
  /** `NS/POD` */
  readonly key: string;
  readonly labels: Labels;
  readonly injected: boolean;
  readonly gateway: boolean;
}

type PodSockets = Pick<Workload, "addresses" | "ports" | "outboundListeners" | "httpProxy">;

function planSockets(pod: PodPlan): PodSockets {
  const addresses = pod.placement.addresses?.(pod.key);
  return addresses === undefined ? socketsOnLoopback(pod) : socketsAt(addresses, pod);
}

/** The sidecar, if there is one, is not spoken to: connections to and from the application are led to it. */
function socketsAt(addresses: IpAddresses, pod: PodPlan): PodSockets {
  const ports = declaredPorts(pod).map(({ name, containerPort }): WorkloadPort => {
    const application = { address: addresses.ipv4, port: containerPort };
    return { name, containerPort, listen: application, application };
  });
  return { addresses, ports, outboundListeners: [] };
}

/** A gateway has no application that would call somebody by it. */
function socketsOnLoopback(pod: PodPlan): PodSockets {
  const { placement, key, injected, gateway } = pod;
  const ports = planPorts(pod);
  if (!injected || gateway) return { ports, outboundListeners: [] };
  const httpProxy = placement.place(`${key}/http-proxy`);
  return { ports, outboundListeners: planOutbound(pod), httpProxy };
}

function planPorts(plan: PodPlan): WorkloadPort[] {
  const { placement, key, injected, gateway } = plan;
  return declaredPorts(plan).map(({ name, containerPort }) => {
    if (gateway) {
      const listen = placement.place(`${key}/listen/${containerPort}`);
      return { name, containerPort, listen, application: listen };
    }
    const application = placement.place(`${key}/application/${containerPort}`);
    const listen = injected ? placement.place(`${key}/listen/${containerPort}`) : application;
    return { name, containerPort, listen, application };
  });
}

/** Ports of the containers, and numeric target ports of services: declaring a container port is optional in Kubernetes. */
function declaredPorts({ owner, services, labels }: PodPlan): {
  readonly name: string;
  readonly containerPort: number;
}[] {
  const { meta, template } = owner;
  const declared = new Map(
    template.containers.flatMap(({ ports }) => ports).map((port) => [port.containerPort, port]),
  );
  const pod = { namespace: meta.namespace, labels };
  for (const { targetPort } of services
    .filter((service) => isBehind(service, pod))
    .flatMap(({ ports }) => ports)) {
    if (typeof targetPort === "string" || declared.has(targetPort)) continue;
    declared.set(targetPort, { name: "", containerPort: targetPort });
  }
  return [...declared.values()];
}

function planOutbound({ services, placement, key }: PodPlan): OutboundListener[] {
  return services.flatMap(({ meta, ports }) =>
    ports.map(({ port }) => ({
      serviceNamespace: meta.namespace,
      serviceName: meta.name,
      servicePort: port,
      listen: placement.place(`${key}/outbound/${meta.namespace}/${meta.name}:${port}`),
    })),
  );
}
