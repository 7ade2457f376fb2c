/** What a pod has of the mesh around it. */
import type { Resource } from "../../api/resource.ts";
import type { IpAddresses, Workload } from "../../policy/workload.ts";
import type { ControlPlaneAddress } from "../control-plane-process.ts";
import type { DataDirectory } from "../data-directory.ts";
import type { NamespaceNetwork } from "../network/namespace-network.ts";
import type { ProcessEvent } from "../processes/supervised-process.ts";
import type { PathRewrite } from "./rewrite-paths.ts";

export interface PodContext {
  readonly dataDirectory: DataDirectory;
  readonly hauberkCommand: readonly [string, ...string[]];
  /** What the mesh calls itself (CA-3). */
  readonly cluster: string;
  /** Where the control plane serves, once it does. */
  readonly controlPlane: () => Promise<ControlPlaneAddress>;
  /** In which each pod has namespaces of its own; absent where all share the machine's loopback. */
  readonly network: NamespaceNetwork | undefined;
  /** Of services, by `namespace/name`; empty where all share the machine's loopback. */
  readonly serviceAddresses: () => Readonly<Record<string, IpAddresses>>;
  /** @param what absent: for the certificate service, for as long as a token may live */
  readonly issueToken: (workload: Workload, what?: TokenRequest) => Promise<string>;
  /** Path of Envoy's program, for pods beside which one stands. @throws MeshPlanError */
  readonly envoy: () => Promise<string>;
  readonly resources: () => readonly Resource[];
  readonly workloads: () => readonly Workload[];
  readonly report: (title: string, event: ProcessEvent) => void;
  /** Called when the pod becomes ready, or ceases to be. */
  readonly onReadiness: () => void;
  /** Called when paths of a manifest are elsewhere on this machine. */
  readonly onPlaced: (title: string, rewrites: readonly PathRewrite[]) => void;
  /** Aborts when all pods end: nobody waits long for any of them then. */
  readonly closing: AbortSignal;
  readonly random: () => number;
}

export interface TokenRequest {
  readonly audience: string;
  readonly lifetimeMs: number;
}
