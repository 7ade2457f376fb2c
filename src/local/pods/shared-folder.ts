/** Where a pod's sidecar and its applications both find what the sidecar makes for them alone, such as sockets. */
import type { PodTemplate } from "../../api/pod-template.ts";
import type { WorkloadApiSettings } from "../../policy/sidecar-bootstrap.ts";
import type { Workload } from "../../policy/workload.ts";
import type { DataDirectory } from "../data-directory.ts";
import type { MeshUser } from "../network/host-side.ts";
import { SHARED_FOLDER_DESCRIPTOR } from "../network/mesh-ranges.ts";

/** What a pod says of itself, and its template of what it asks for. */
export interface AskingPod {
  readonly workload: Pick<Workload, "namespace" | "name" | "injected">;
  readonly template: Pick<PodTemplate, "annotations">;
}

export interface MeshPlaces {
  readonly dataDirectory: DataDirectory;
  /** Whose the mesh is, where pods have namespaces of their own; absent where they have not. */
  readonly user: MeshUser | undefined;
}

export interface SharedFolder {
  /** As the sidecar sees it, which has it open. */
  readonly ofSidecar: string;
  /** As containers see it. */
  readonly ofContainers: string;
  /** Who besides the sidecar may use what is in it. */
  readonly access: WorkloadApiSettings["access"];
  /** What containers are shown, and where. */
  readonly shared: { readonly source: string; readonly target: string };
}

const CONTAINER_FOLDER = "/run/spiffe";

/** @returns undefined where all see the same files anyway */
export function sharedFolder(
  { workload }: AskingPod,
  { dataDirectory, user }: MeshPlaces,
): SharedFolder | undefined {
  if (user === undefined) return undefined;
  return {
    ofSidecar: `/proc/self/fd/${SHARED_FOLDER_DESCRIPTOR}`,
    ofContainers: CONTAINER_FOLDER,
    access: user === "root" ? "group" : "owner",
    shared: { source: dataDirectory.workloadApiFolder(workload), target: CONTAINER_FOLDER },
  };
}
