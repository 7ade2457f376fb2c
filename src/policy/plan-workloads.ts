/** Which workloads the resources ask for, and where their ports go. Pure: whoever calls decides about addresses. */
import type { Deployment } from "../api/deployment.ts";
import { injectionDecision } from "../api/injection-decision.ts";
import type { Job } from "../api/job.ts";
import type { Labels, Resource } from "../api/resource.ts";
import type { Service } from "../api/service.ts";
import { isBehind, ofKind } from "./mesh-snapshot.ts";
import type { OutboundListener, SocketAddress, Workload, WorkloadPort } from "./workload.ts";

export interface Placement {
  /**
   * Where to listen, by purpose: `NS/POD/listen/PORT`, `NS/POD/application/PORT`,
   * `NS/POD/outbound/SVCNS/SVC:PORT` or `NS/POD/http-proxy`. Asked once a key.
   */
  place(key: string): SocketAddress;
  /** Unique id of the pod `NS/POD`. */
  uid(key: string): string;
}

/**
 * Each Deployment gives `replicas` workloads, named `<deployment>-<index>` from 0. Each Job gives one, `<job>-0`, or
 * `<job>-0-job` beside a Deployment of the same name; a Job that needs no completion gives none.
 */
export function planWorkloads(resources: readonly Resource[], placement: Placement): Workload[] {
  const deployments = ofKind(resources, "Deployment");
  const deploymentNames = new Set(deployments.map(nameOf));
  const planned = {
    services: ofKind(resources, "Service"),
    namespaceLabels: new Map(
      ofKind(resources, "Namespace").map(({ meta }) => [meta.name, meta.labels]),
    ),
    placement,
  };
  return [
    ...deployments.flatMap((owner) =>
      Array.from({ length: owner.replicas }, (_, index) =>
        planWorkload(`${owner.meta.name}-${index}`, { ...planned, owner }),
      ),
    ),
    ...ofKind(resources, "Job")
      .filter(({ completions }) => completions > 0)
      .map((owner) => {
        const suffix = deploymentNames.has(nameOf(owner)) ? "-0-job" : "-0";
        return planWorkload(`${owner.meta.name}${suffix}`, { ...planned, owner });
      }),
  ];
}

/** What a workload was made from, with its pod template and where that is written. */
export function podTemplateOf(
  resources: readonly Resource[],
  { namespace, owner, ownerKind }: Pick<Workload, "namespace" | "owner" | "ownerKind">,
): Deployment | Job | undefined {
  return ofKind(resources, ownerKind).find(
    ({ meta }) => meta.namespace === namespace && meta.name === owner,
  );
}

interface Plan {
  readonly owner: Deployment | Job;
  readonly services: readonly Service[];
  readonly namespaceLabels: ReadonlyMap<string, Labels>;
  readonly placement: Placement;
}

function nameOf({ meta }: Deployment | Job): string {
  return `${meta.namespace}/${meta.name}`;
}

function planWorkload(name: string, plan: Plan): Workload {
  const { kind, meta, template } = plan.owner;
  const key = `${meta.namespace}/${name}`;
  const pod = { ...plan, key, injected: isInjected(plan) };
  return {
    namespace: meta.namespace,
    name,
    uid: plan.placement.uid(key),
    owner: meta.name,
    ownerKind: kind,
    labels: template.labels,
    serviceAccount: template.serviceAccountName,
    injected: pod.injected,
    ready: true,
    ports: planPorts(pod),
    outboundListeners: pod.injected ? planOutbound(pod) : [],
    ...(pod.injected && { httpProxy: plan.placement.place(`${key}/http-proxy`) }),
  };
}

function isInjected({ owner: { meta, template }, namespaceLabels }: Plan): boolean {
  return injectionDecision({
    namespaceLabels: namespaceLabels.get(meta.namespace) ?? {},
    podLabels: template.labels,
    podAnnotations: template.annotations,
    hostNetwork: template.hostNetwork,
    namespace: meta.namespace,
  }).inject;
}

interface PodPlan extends Plan {
  /** `NS/POD` */
  readonly key: string;
  readonly injected: boolean;
}

function planPorts(plan: PodPlan): WorkloadPort[] {
  const { placement, key, injected } = plan;
  return declaredPorts(plan).map(({ name, containerPort }) => {
    const application = placement.place(`${key}/application/${containerPort}`);
    const listen = injected ? placement.place(`${key}/listen/${containerPort}`) : application;
    return { name, containerPort, listen, application };
  });
}

/** Ports of the containers, and numeric target ports of services: declaring a container port is optional in Kubernetes. */
function declaredPorts({ owner, services }: Plan): {
  readonly name: string;
  readonly containerPort: number;
}[] {
  const { meta, template } = owner;
  const declared = new Map(
    template.containers.flatMap(({ ports }) => ports).map((port) => [port.containerPort, port]),
  );
  const pod = { namespace: meta.namespace, labels: template.labels };
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
