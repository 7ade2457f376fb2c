/** What will run on this machine, and on which ports: made from the resources before anything is started. */
import type { Container } from "../api/container.ts";
import { isProxyContainer } from "../api/injection-templates.ts";
import { WORKLOAD_API_ANNOTATION } from "../api/own-annotations.ts";
import type { PodTemplate } from "../api/pod-template.ts";
import {
  formatLocation,
  type PodOwner,
  type Resource,
  type SourceLocation,
} from "../api/resource.ts";
import type { DeploymentStrategy } from "../api/rollout-strategy.ts";
import type { Service } from "../api/service.ts";
import { ofKind } from "../policy/mesh-snapshot.ts";
import { type PodTurn, planWorkloads, podTemplateOf } from "../policy/plan-workloads.ts";
import type { IpAddresses, SocketAddress, Workload } from "../policy/workload.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { fixedApplicationPorts, isJoined } from "./joining/joined-resources.ts";
import type { PublishedPort } from "./network/host-side.ts";
import { type DataPlane, dataPlaneOf } from "./pods/data-plane.ts";
import { type SidecarSettings, sidecarSettings } from "./pods/sidecar-settings.ts";
import { workloadApiProblem } from "./pods/workload-api-place.ts";
import { LOOPBACK, type PortAllocator } from "./port-allocator.ts";
import { preferredGatewayPorts, preferredPublishedPorts } from "./preferred-ports.ts";
import { refuseTaken, type SettledOwner, settlePorts } from "./settled-ports.ts";

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
  readonly update: PodUpdate;
  /** For how long it has to be ready before it counts as available. */
  readonly minReadySeconds: number;
  /** It runs as it was planned before, and stays so until somebody deletes it, or its owner is changed again. */
  readonly isFormer?: true;
  /** `namespace/pod` that must be ready before this one may start. */
  readonly startsAfter?: string;
  readonly containers: readonly Container[];
  readonly sidecar: SidecarSettings;
  /** What stands beside it, if it is injected. */
  readonly dataPlane: DataPlane;
  /** Of its sidecar; absent without one. */
  readonly adminPort?: number;
}

/**
 * What becomes of a pod whose template changes. "in order": made anew in place, one after the other. "held": it stays; once
 * it is deleted it is made of the template that it had, or of the new one.
 */
export type PodUpdate =
  | DeploymentStrategy
  | { readonly kind: "in order" }
  | { readonly kind: "held"; readonly made: "as before" | "as planned" };

export interface MeshPlan {
  readonly pods: readonly PlannedPod[];
  readonly controlPlane: SocketAddress;
  /** Of services, by `namespace/name`; absent where pods share the machine's loopback. */
  readonly serviceAddresses?: Readonly<Record<string, IpAddresses>>;
  /** What the host's loopback is to offer; empty where pods are on it. */
  readonly published: readonly PublishedPort[];
  /** Whose programs listen on ports of their own; empty where every pod has all ports to itself. */
  readonly settled: readonly SettledOwner[];
}

/** Gives pods, services and the control plane addresses of their own. */
export interface AddressPlan {
  readonly controlPlane: SocketAddress;
  /** Of every sidecar, in its own pod. */
  readonly adminPort: number;
  /** @param key `namespace/pod` */
  podAddresses(key: string): IpAddresses;
  /** @param key `namespace/name` */
  serviceAddresses(key: string): IpAddresses;
}

/** A pod with addresses of its own needs no place on the loopback. */
const NOWHERE: SocketAddress = { address: LOOPBACK, port: 0 };
const CONTROL_PLANE = "control-plane";
const adminKey = ({ namespace, name }: Workload): string => `${namespace}/${name}/admin`;

export interface PlanOptions {
  readonly ports: PortAllocator;
  /** The uid of the pod with this `namespace/name`. */
  readonly uid: (key: string) => string;
  /** Absent where pods share the machine's loopback. */
  readonly addresses?: AddressPlan | undefined;
  /** See `Placement.turn`. */
  readonly turn?: (key: string) => PodTurn;
  /** Of pods whose annotations say nothing; absent: our own. */
  readonly dataPlane?: DataPlane | undefined;
}

const alwaysFirst = (): PodTurn => "first";

/** @throws MeshPlanError, SharedPortError, PortTakenError, NoPortLeftError */
export async function planMesh(
  resources: readonly Resource[],
  options: PlanOptions,
): Promise<MeshPlan> {
  const { addresses, uid } = options;
  return addresses === undefined
    ? planOnLoopback(resources, options)
    : planWithAddresses(resources, { ...options, addresses, uid });
}

async function planOnLoopback(
  written: readonly Resource[],
  { ports: allocator, uid, turn = alwaysFirst, dataPlane }: PlanOptions,
): Promise<MeshPlan> {
  const { resources, owners, ports: own, leases } = settlePorts(written);
  const ports = await allocator.allocate(
    [...collectPortKeys(resources, turn), ...leases.keys()],
    new Map([...preferredGatewayPorts(resources), ...leases]),
  );
  refuseTaken(owners, ports);
  const fixed = fixedApplicationPorts(resources);
  const place = (key: string): SocketAddress => ({
    address: LOOPBACK,
    port: fixed.get(key) ?? own.get(key) ?? ports.get(key) ?? 0,
  });
  const workloads = planWorkloads(resources, { place, uid, turn, addresses: () => undefined });
  return {
    pods: workloads.map((workload) =>
      planPod(workload, { resources, adminPort: place(adminKey(workload)).port, dataPlane }),
    ),
    controlPlane: place(CONTROL_PLANE),
    published: [],
    settled: owners,
  };
}

async function planWithAddresses(
  resources: readonly Resource[],
  {
    ports: allocator,
    uid,
    addresses,
    turn = alwaysFirst,
    dataPlane,
  }: PlanOptions & { readonly addresses: AddressPlan },
): Promise<MeshPlan> {
  const { adminPort, controlPlane } = addresses;
  const services = ofKind(resources, "Service");
  const serviceAddresses = Object.fromEntries(
    services
      .filter(({ headless }) => !headless)
      .map(({ meta }) => `${meta.namespace}/${meta.name}`)
      .map((key) => [key, addresses.serviceAddresses(key)]),
  );
  const workloads = planWorkloads(resources, {
    place: () => NOWHERE,
    uid,
    turn,
    addresses: (key) => addresses.podAddresses(key),
  });
  return {
    pods: workloads.map((workload) => planPod(workload, { resources, adminPort, dataPlane })),
    controlPlane,
    serviceAddresses,
    published: await planPublished({ services, workloads }, allocator),
    settled: [],
  };
}

/** A port of the host's loopback for each service port, the same one as long as the data directory is; see `preferred-ports.ts`. */
async function planPublished(
  {
    services,
    workloads,
  }: { readonly services: readonly Service[]; readonly workloads: readonly Workload[] },
  allocator: PortAllocator,
): Promise<readonly PublishedPort[]> {
  const offered = services.flatMap(({ meta, ports }) =>
    ports.map(({ port }) => ({ service: `${meta.namespace}/${meta.name}`, port })),
  );
  const keyOf = ({ service, port }: (typeof offered)[number]): string => `host/${service}:${port}`;
  const otherwise = (key: string): string => `${key}/otherwise`;
  const preferred = preferredPublishedPorts(offered, { services, workloads, keyOf });
  const keys = [...offered.map(keyOf), ...[...preferred.keys()].map(otherwise)];
  const ports = await allocator.allocate(keys, preferred);
  return offered.map((one) => {
    const second = ports.get(otherwise(keyOf(one)));
    return {
      ...one,
      listen: { address: LOOPBACK, port: ports.get(keyOf(one)) ?? 0 },
      ...(second !== undefined && { otherwise: { address: LOOPBACK, port: second } }),
    };
  });
}

function planPod(
  workload: Workload,
  {
    resources,
    adminPort,
    dataPlane = "embedded",
  }: {
    readonly resources: readonly Resource[];
    readonly adminPort: number;
    readonly dataPlane: DataPlane | undefined;
  },
): PlannedPod {
  const owner = podTemplateOf(resources, workload);
  if (owner === undefined) throw new MeshPlanError(`nothing makes the pod ${workload.name}`);
  const { template, meta } = owner;
  const problem = workloadApiProblem(template, workload);
  if (problem !== undefined) throw misannotated(owner, problem);
  const pod = {
    workload,
    template,
    source: meta.source,
    containers: isJoined(meta.source) ? [] : programsOf(template, workload),
    sidecar: settingsOf(owner, resources),
    dataPlane: dataPlaneOf(template, dataPlane),
    ...(owner.kind === "Job" ? { backoffLimit: owner.backoffLimit } : {}),
    update: updateOf(owner, workload),
    minReadySeconds: owner.kind === "Job" ? 0 : owner.minReadySeconds,
    ...startsAfter(owner, workload),
  };
  return workload.injected ? { ...pod, adminPort } : pod;
}

/** What an injector would have made the proxy's container of is our own sidecar. */
function programsOf({ containers }: PodTemplate, { injected }: Workload): readonly Container[] {
  return injected ? containers.filter((container) => !isProxyContainer(container)) : containers;
}

function misannotated({ meta }: PodOwner, problem: string): MeshPlanError {
  const path = `spec.template.metadata.annotations["${WORKLOAD_API_ANNOTATION}"]`;
  return new MeshPlanError(`${formatLocation(meta.source)} ${path} ${problem}`);
}

function updateOf(owner: PodOwner, { name }: Workload): PodUpdate {
  if (owner.kind === "Job") return { kind: "all at once" };
  const { strategy } = owner;
  if (strategy.kind === "on delete") return { kind: "held", made: "as planned" };
  if (strategy.kind !== "from") return strategy;
  const isHeld = ordinalOf(name) < strategy.ordinal;
  return isHeld ? { kind: "held", made: "as before" } : { kind: "in order" };
}

/** Of a pod of a StatefulSet. */
export function ordinalOf(name: string): number {
  return Number(name.slice(name.lastIndexOf("-") + 1));
}

function startsAfter(owner: PodOwner, { name }: Workload): Pick<PlannedPod, "startsAfter"> {
  if (owner.kind !== "StatefulSet" || owner.podManagementPolicy === "Parallel") return {};
  const { namespace, name: set } = owner.meta;
  const index = Number(name.slice(set.length + 1));
  return index > 0 ? { startsAfter: `${namespace}/${set}-${index - 1}` } : {};
}

function settingsOf(owner: PodOwner, resources: readonly Resource[]): SidecarSettings {
  const chosen = sidecarSettings(owner, resources);
  if ("settings" in chosen) return chosen.settings;
  const { source, path, problem } = chosen.issue;
  throw new MeshPlanError(`${formatLocation(source)} ${path} ${problem}`);
}

/** Plans once with no ports at all, to learn which are needed. */
function collectPortKeys(resources: readonly Resource[], turn: (key: string) => PodTurn): string[] {
  const keys = [CONTROL_PLANE];
  const workloads = planWorkloads(resources, {
    place: (key) => {
      keys.push(key);
      return NOWHERE;
    },
    uid: () => "",
    turn,
    addresses: () => undefined,
  });
  return [...new Set([...keys, ...workloads.filter(({ injected }) => injected).map(adminKey)])];
}
