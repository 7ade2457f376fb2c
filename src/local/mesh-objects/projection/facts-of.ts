/** Asks a running mesh what it is made of now. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Clock } from "../../../runtime/clock.ts";
import { timestamp } from "../../api-server/objects/timestamp.ts";
import type { LocalMesh } from "../../local-mesh.ts";
import type { Pod } from "../../pods/pod.ts";
import type { SupervisedProcess } from "../../processes/supervised-process.ts";
import type { ContainerFacts, MeshFacts, PodFacts } from "./mesh-facts.ts";
import { PROXY_CONTAINER } from "./projected-pod.ts";

/** Remembers since when each part is what it is: nothing else tells. */
export class FactsOf {
  readonly #mesh: LocalMesh;
  readonly #clock: Clock;
  /** Of the control plane, by how often it was started again. */
  readonly #uids: Map<number, string> = new Map();
  #since: ReadonlyMap<string, string> = new Map();

  constructor(mesh: LocalMesh, clock: Clock) {
    this.#mesh = mesh;
    this.#clock = clock;
  }

  #uidOf(start: number): string {
    const uid = this.#uids.get(start) ?? randomUUID();
    this.#uids.set(start, uid);
    return uid;
  }

  now(): MeshFacts {
    const mesh = this.#mesh;
    const since = new Map<string, string>();
    const sinceOf = (part: string): string => {
      const known = this.#since.get(part) ?? timestamp(this.#clock);
      since.set(part, known);
      return known;
    };
    const { controlPlane } = mesh;
    const facts: MeshFacts = {
      pods: mesh.pods.map((pod) => {
        const { uid } = pod.plan.workload;
        const facts = podFacts(pod, sinceOf(uid));
        return {
          ...facts,
          ...(facts.ready && { readySince: sinceOf(`${uid} ready`) }),
          ...(mesh.isOutdated(pod) && { outdated: true }),
        };
      }),
      workloads: mesh.workloads,
      serviceAddresses: mesh.serviceAddresses,
      controlPlane: {
        ...containerFacts("discovery", controlPlane, controlPlane.phase === "running"),
        listen: mesh.controlPlaneAddress,
        startedAt: sinceOf(`control plane ${controlPlane.restarts}`),
        uid: this.#uidOf(controlPlane.restarts),
      },
      rootPem: mesh.rootPem,
      refused: mesh.refusedResources,
      node: hostname().toLowerCase(),
    };
    this.#since = since;
    return facts;
  }
}

function podFacts(pod: Pod, startedAt: string): PodFacts {
  const containers = pod.containers.map(({ process, ready, problem }) => ({
    ...containerFacts(process.title.split(" ").at(-1) ?? "", process, ready),
    problem,
  }));
  const { sidecar } = pod;
  const proxy =
    sidecar === undefined
      ? []
      : [containerFacts(PROXY_CONTAINER, sidecar, sidecar.phase === "running")];
  const isUp = containers.every(({ phase }) => phase === "running");
  const ready = pod.ready && isUp && proxy.every((one) => one.ready);
  return { planned: pod.plan, ready, startedAt, containers: [...containers, ...proxy] };
}

function containerFacts(name: string, process: SupervisedProcess, ready: boolean): ContainerFacts {
  const { phase, restarts, processId, lastExit } = process;
  return { name, phase, restarts, processId, lastExit, ready };
}
