/** What will run on this machine, and on which ports: made from the resources before anything is started. */
import type { Container } from "../api/container.ts";
import type { Deployment } from "../api/deployment.ts";
import type { Job } from "../api/job.ts";
import type { PodTemplate } from "../api/pod-template.ts";
import { formatLocation, type Resource, type SourceLocation } from "../api/resource.ts";
import { planWorkloads, podTemplateOf } from "../policy/plan-workloads.ts";
import type { SocketAddress, Workload } from "../policy/workload.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { fixedApplicationPorts, isJoined } from "./joining/joined-resources.ts";
import { type SidecarSettings, sidecarSettings } from "./pods/sidecar-settings.ts";
import { LOOPBACK, type PortAllocator } from "./port-allocator.ts";

/** The resources ask for something that cannot be run; the message has file:line. */
export class MeshPlanError extends HauberkError {
  readonly code = "HAUBERK_MESH_PLAN";
}

export interface PlannedPod {
  readonly workload: Workload;
  readonly template: PodTemplate;
  /** Where what it is made from was written. */
  readonly source: SourceLocation;
  /** Failures after which a Job is given up; absent for what runs for ever. */
  readonly backoffLimit?: number;
  readonly containers: readonly Container[];
  readonly sidecar: SidecarSettings;
  /** Of its sidecar; absent without one. */
  readonly adminPort?: number;
}

export interface MeshPlan {
  readonly pods: readonly PlannedPod[];
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
  const fixed = fixedApplicationPorts(resources);
  const place = (key: string): SocketAddress => ({
    address: LOOPBACK,
    port: fixed.get(key) ?? ports.get(key) ?? 0,
  });
  const planPod = (workload: Workload): PlannedPod => {
    const owner = podTemplateOf(resources, workload);
    if (owner === undefined) throw new MeshPlanError(`nothing makes the pod ${workload.name}`);
    const { template, meta } = owner;
    const pod = {
      workload,
      template,
      source: meta.source,
      containers: isJoined(meta.source) ? [] : template.containers,
      sidecar: settingsOf(owner, resources),
      ...(owner.kind === "Job" ? { backoffLimit: owner.backoffLimit } : {}),
    };
    return workload.injected ? { ...pod, adminPort: place(adminKey(workload)).port } : pod;
  };
  return {
    pods: planWorkloads(resources, { place, uid }).map(planPod),
    controlPlanePort: place(CONTROL_PLANE).port,
  };
}

function settingsOf(owner: Deployment | Job, resources: readonly Resource[]): SidecarSettings {
  const chosen = sidecarSettings(owner, resources);
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
