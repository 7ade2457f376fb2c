/** What the mesh tells of itself to those who ask its API: plain data, made of what runs. */
import type { RefusedResource } from "../../../control/refused-resources.ts";
import type { IpAddresses, Workload } from "../../../policy/workload.ts";
import type { PlannedPod } from "../../mesh-plan.ts";
import type { ProcessExit } from "../../processes/mesh-process.ts";
import type { ProcessPhase } from "../../processes/supervised-process.ts";

export interface ContainerFacts {
  /** As the container is called; of the sidecar `istio-proxy`. */
  readonly name: string;
  readonly phase: ProcessPhase;
  readonly restarts: number;
  readonly processId?: number | undefined;
  readonly lastExit?: ProcessExit | undefined;
  readonly ready: boolean;
  /** The last thing that a probe or a hook found wrong with it. */
  readonly problem?: string | undefined;
}

export interface PodFacts {
  readonly planned: PlannedPod;
  readonly ready: boolean;
  /** RFC 3339; absent while it is not ready. */
  readonly readySince?: string;
  /** It is not as it is wanted now: another takes its place, or it is made anew. */
  readonly outdated?: true;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly containers: readonly ContainerFacts[];
}

export interface MeshFacts {
  readonly pods: readonly PodFacts[];
  readonly workloads: readonly Workload[];
  /** Of services, by `namespace/name`; empty where pods share the machine's loopback. */
  readonly serviceAddresses: Readonly<Record<string, IpAddresses>>;
  readonly controlPlane: ContainerFacts & {
    /** `address:port` */
    readonly listen: string;
    readonly startedAt: string;
    /** Another one each time it is started. */
    readonly uid: string;
  };
  /** PEM of every root that is trusted now; absent until the control plane told. */
  readonly rootPem?: string | undefined;
  /** What is not in force everywhere, because proxies refuse it. */
  readonly refused: readonly RefusedResource[];
  /** Of this machine, as the name of the node that everything runs on. */
  readonly node: string;
}
