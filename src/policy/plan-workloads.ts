/** Which workloads the resources ask for, and where their ports go. Pure: whoever calls decides about addresses. */
import type { Deployment } from "../api/deployment.ts";
import { injectionDecision } from "../api/injection-decision.ts";
import type { Resource } from "../api/resource.ts";
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

/** Each Deployment gives `replicas` workloads, named `<deployment>-<index>` from 0. */
export function planWorkloads(resources: readonly Resource[], placement: Placement): Workload[] {
  const services = ofKind(resources, "Service");
  const namespaceLabels = new Map(
    ofKind(resources, "Namespace").map(({ meta }) => [meta.name, meta.labels]),
  );
  return ofKind(resources, "Deployment").flatMap((deployment) => {
    const { template, meta, replicas } = deployment;
    const { inject } = injectionDecision({
      namespaceLabels: namespaceLabels.get(meta.namespace) ?? {},
      podLabels: template.labels,
      podAnnotations: template.annotations,
      hostNetwork: template.hostNetwork,
      namespace: meta.namespace,
    });
    const plan = { deployment, services, inject, placement };
    return Array.from({ length: replicas }, (_, index) => planWorkload(plan, index));
  });
}

interface DeploymentPlan {
  readonly deployment: Deployment;
  readonly services: readonly Service[];
  readonly inject: boolean;
  readonly placement: Placement;
}

function planWorkload(plan: DeploymentPlan, index: number): Workload {
  const { meta, template } = plan.deployment;
  const name = `${meta.name}-${index}`;
  const key = `${meta.namespace}/${name}`;
  return {
    namespace: meta.namespace,
    name,
    uid: plan.placement.uid(key),
    owner: meta.name,
    labels: template.labels,
    serviceAccount: template.serviceAccountName,
    injected: plan.inject,
    ports: planPorts(plan, key),
    outboundListeners: plan.inject ? planOutbound(plan, key) : [],
    ...(plan.inject && { httpProxy: plan.placement.place(`${key}/http-proxy`) }),
  };
}

function planPorts(plan: DeploymentPlan, key: string): WorkloadPort[] {
  return declaredPorts(plan).map(({ name, containerPort }) => {
    const application = plan.placement.place(`${key}/application/${containerPort}`);
    const listen = plan.inject
      ? plan.placement.place(`${key}/listen/${containerPort}`)
      : application;
    return { name, containerPort, listen, application };
  });
}

/** Ports of the containers, and numeric target ports of services: declaring a container port is optional in Kubernetes. */
function declaredPorts({ deployment, services }: DeploymentPlan): {
  readonly name: string;
  readonly containerPort: number;
}[] {
  const { meta, template } = deployment;
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

function planOutbound({ services, placement }: DeploymentPlan, key: string): OutboundListener[] {
  return services.flatMap(({ meta, ports }) =>
    ports.map(({ port }) => ({
      serviceNamespace: meta.namespace,
      serviceName: meta.name,
      servicePort: port,
      listen: placement.place(`${key}/outbound/${meta.namespace}/${meta.name}:${port}`),
    })),
  );
}
