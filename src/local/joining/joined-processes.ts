/** Who has joined the mesh: takes processes in, and takes their pods away once they are gone. */
import { identityOf } from "../../policy/build-workload-view.ts";
import { buildSnapshot, isBehind } from "../../policy/mesh-snapshot.ts";
import type { Workload } from "../../policy/workload.ts";
import { identifyProcess } from "../../runtime/process-identity.ts";
import type { LocalMesh } from "../local-mesh.ts";
import type { Pod } from "../pods/pod.ts";
import type { JoinRequest } from "./join-request.ts";
import { planJoin } from "./joined-resources.ts";
import type { Joined } from "./mesh-socket-messages.ts";

const MAX_JOINED = 64;

export type JoinOutcome = Joined | { readonly type: "refused"; readonly problem: string };

export class JoinedProcesses {
  readonly #mesh: LocalMesh;
  readonly #names: Set<string> = new Set();
  /** By name; a name is free again once its pod is gone. */
  readonly #leaving: Map<string, Promise<void>> = new Map();

  constructor(mesh: LocalMesh) {
    this.#mesh = mesh;
  }

  /** @returns once the pod's sidecar serves */
  async join(
    request: JoinRequest,
    {
      processIds,
      onDisplaced,
    }: { readonly processIds: readonly number[]; readonly onDisplaced: () => void },
  ): Promise<JoinOutcome> {
    const name = joinName(request);
    await this.#leaving.get(name);
    if (this.#names.size >= MAX_JOINED) {
      return refused(`${MAX_JOINED} processes have joined, which is the limit`);
    }
    const stranger = this.#strangerAmong(processIds);
    if (stranger !== undefined) return refused(`process ${stranger} cannot join`);
    const moved = request.ports.find(({ port, listensOn = port }) => listensOn !== port);
    if (this.#mesh.podsHaveNetworks && moved !== undefined) {
      return refused(
        `port ${moved.port} is the program's own in this mesh, whose pods have networks of their own: let it listen there, and leave --listens-on out`,
      );
    }
    const plan = planJoin(request, this.#mesh);
    if (plan.outcome === "refused") return refused(plan.problem);
    this.#names.add(name);
    try {
      await this.#mesh.join(name, {
        resources: plan.resources,
        onDisplaced: () => {
          this.#names.delete(name);
          onDisplaced();
        },
      });
    } catch (error) {
      this.#names.delete(name);
      throw error;
    }
    const pod = this.#mesh.joinedPod(name);
    if (pod === undefined) return refused("the mesh is ending");
    const network = this.#mesh.podsHaveNetworks ? pod.joinedNetwork : "loopback";
    if (network === undefined) {
      await this.leave(request);
      return refused("its sidecar ended just now; try again"); // never a program outside its pod
    }
    pod.adopt(processIds);
    return this.#describe(pod, { notes: plan.notes, network });
  }

  /** @returns why not, if not */
  adopt(request: JoinRequest, processIds: readonly number[]): string | undefined {
    const stranger = this.#strangerAmong(processIds);
    if (stranger !== undefined) return `process ${stranger} cannot join`;
    const pod = this.#mesh.joinedPod(joinName(request));
    pod?.adopt(processIds);
    return pod === undefined ? "its pod is gone" : undefined;
  }

  async leave(request: JoinRequest): Promise<void> {
    const name = joinName(request);
    if (!this.#names.delete(name)) return this.#leaving.get(name);
    const gone = this.#mesh.leave(name).finally(() => this.#leaving.delete(name));
    this.#leaving.set(name, gone);
    await gone;
  }

  /** One that does not run, or is a part of the mesh: all it starts would count as the workload's. */
  #strangerAmong(processIds: readonly number[]): number | undefined {
    const own = new Set([
      process.pid,
      this.#mesh.controlPlane.processId,
      ...this.#mesh.pods.flatMap(({ processes }) => processes.map(({ processId }) => processId)),
    ]);
    return processIds.find((id) => own.has(id) || identifyProcess(id) === undefined);
  }

  #describe(pod: Pod, { notes, network }: Pick<Joined, "notes" | "network">): Joined {
    const { workload } = pod.plan;
    const { resources, workloads } = this.#mesh;
    const { settings } = buildSnapshot({ resources, workloads, rootsPem: [] });
    return {
      type: "joined",
      pod: pod.key,
      identity: identityOf(workload, settings.trustDomain),
      environment: addedEnvironment(pod),
      reachedAt: this.#addressesOf(workload),
      listens: workload.ports.map(({ containerPort, application }) => ({
        port: containerPort,
        at: `${application.address}:${application.port}`,
      })),
      notes,
      network,
    };
  }

  #addressesOf(workload: Workload): readonly string[] {
    const services = this.#mesh.resources.filter((resource) => resource.kind === "Service");
    return services
      .filter((service) => isBehind(service, workload))
      .flatMap(({ meta, ports }) =>
        ports.map(({ port, protocol }) => {
          const address = `${meta.name}.${meta.namespace}:${port}`;
          return protocol === "tcp" ? address : `http://${address}`;
        }),
      );
  }
}

/** The program has its own environment already, its TMPDIR too. */
function addedEnvironment(pod: Pod): Readonly<Record<string, string>> {
  const [container] = pod.plan.template.containers;
  if (container === undefined) return {};
  const { TMPDIR: _, ...added } = pod.programs.environment(container, {});
  return added;
}

/** Under which `LocalMesh` keeps it: equal to `namespace/owner` of its workload. */
function joinName({ namespace, name }: JoinRequest): string {
  return `${namespace}/${name}`;
}

function refused(problem: string): JoinOutcome {
  return { type: "refused", problem };
}
