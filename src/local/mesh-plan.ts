/** What will run on this machine, and on which ports: made from the resources before anything is started. */
import type { Container, Deployment } from "../api/deployment.ts";
import { formatLocation, type Resource } from "../api/resource.ts";
import type { Service } from "../api/service.ts";
import { planWorkloads } from "../policy/plan-workloads.ts";
import type { SocketAddress, Workload } from "../policy/workload.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { LOOPBACK, type PortAllocator } from "./port-allocator.ts";
import { type SidecarSettings, sidecarSettings } from "./sidecar-settings.ts";

/** The resources ask for something that cannot be run; the message has file:line. */
export class MeshPlanError extends HauberkError {
  readonly code = "HAUBERK_MESH_PLAN";
}

export interface PlannedPod {
  readonly workload: Workload;
  readonly deployment: Deployment;
  readonly containers: readonly Container[];
  readonly sidecar: SidecarSettings;
  /** Of its sidecar; absent without one. */
  readonly adminPort?: number;
}

export interface MeshPlan {
  readonly pods: readonly PlannedPod[];
  readonly services: readonly Service[];
  readonly controlPlanePort: number;
}

const CONTROL_PLANE = "control-plane";
const adminKey = ({ namespace, name }: Workload): string => `${namespace}/${name}/admin`;

/**
 * @param options.uid the uid of the pod with this `namespace/name`
 * @throws MeshPlanError, NoPortLeftError
 */
export async function planMesh(
  resources: readonly Resource[],
  { ports: allocator, uid }: { ports: PortAllocator; uid: (key: string) => string },
): Promise<MeshPlan> {
  const ports = await allocator.allocate(collectPortKeys(resources));
  const place = (key: string): SocketAddress => ({ address: LOOPBACK, port: ports.get(key) ?? 0 });
  const deployments = resources.filter((resource) => resource.kind === "Deployment");
  const planPod = (workload: Workload): PlannedPod => {
    const deployment = deployments.find(
      ({ meta }) => meta.namespace === workload.namespace && meta.name === workload.owner,
    );
    if (deployment === undefined) throw new MeshPlanError(`${workload.name} has no Deployment`);
    const { containers } = deployment.template;
    const sidecar = settingsOf(deployment, resources);
    const pod = { workload, deployment, containers, sidecar };
    return workload.injected ? { ...pod, adminPort: place(adminKey(workload)).port } : pod;
  };
  return {
    pods: planWorkloads(resources, { place, uid }).map(planPod),
    services: resources.filter((resource) => resource.kind === "Service"),
    controlPlanePort: place(CONTROL_PLANE).port,
  };
}

function settingsOf(deployment: Deployment, resources: readonly Resource[]): SidecarSettings {
  const chosen = sidecarSettings(deployment, resources);
  if ("settings" in chosen) return chosen.settings;
  const { source, path, problem } = chosen.issue;
  throw new MeshPlanError(`${formatLocation(source)} ${path} ${problem}`);
}

/** Plans once with no ports at all, to learn which are needed. */
function collectPortKeys(resources: readonly Resource[]): string[] {
  const keys = [CONTROL_PLANE];
  const workloads = planWorkloads(resources, {
    place: (key) => {
      keys.push(key);
      return { address: LOOPBACK, port: 0 };
    },
    uid: () => "",
  });
  return [...new Set([...keys, ...workloads.filter(({ injected }) => injected).map(adminKey)])];
}
