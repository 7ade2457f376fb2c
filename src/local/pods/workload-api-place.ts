/**
 * Where a pod's Workload API is, if the pod asks for it: whoever can open its socket gets the pod's key, so it is the
 * pod's alone.
 */
import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { WORKLOAD_API_ANNOTATION } from "../../api/own-annotations.ts";
import type { PodTemplate } from "../../api/pod-template.ts";
import type { WorkloadApiSettings } from "../../policy/sidecar-bootstrap.ts";
import type { Workload } from "../../policy/workload.ts";
import type { MeshUser } from "../network/host-side.ts";
import { APPLICATION_UID, SIDECAR_UID } from "../network/mesh-ranges.ts";
import {
  type AskingPod,
  type MeshPlaces,
  type SharedFolder,
  sharedFolder,
} from "./shared-folder.ts";

const SOCKET = "workload-api.sock";

export interface WorkloadApiPlace {
  /** For the sidecar, which makes the socket. */
  readonly settings: WorkloadApiSettings;
  /** Path of the socket for an application. */
  readonly applicationPath: string;
  /** The folder that the sidecar and the containers share; absent where they see the same files anyway. */
  readonly shared?: SharedFolder["shared"];
}

/** @returns what is wrong with the annotation, in words; undefined when nothing is */
export function workloadApiProblem(
  { annotations }: Pick<PodTemplate, "annotations">,
  { injected }: Pick<Workload, "injected">,
): string | undefined {
  const text = annotations[WORKLOAD_API_ANNOTATION];
  if (text !== "true") return undefined;
  return injected ? undefined : "asks for the Workload API, but the pod has no sidecar to serve it";
}

/** @returns undefined for a pod that does not ask for it */
export function workloadApiPlace(pod: AskingPod, mesh: MeshPlaces): WorkloadApiPlace | undefined {
  if (pod.template.annotations[WORKLOAD_API_ANNOTATION] !== "true") return undefined;
  if (!pod.workload.injected) return undefined;
  const found = sharedFolder(pod, mesh);
  if (found === undefined) {
    const path = mesh.dataDirectory.workloadApiSocket(pod.workload);
    return { settings: { path, access: "owner" }, applicationPath: path };
  }
  const { ofSidecar, ofContainers, access, shared } = found;
  return {
    settings: { path: `${ofSidecar}/${SOCKET}`, access },
    applicationPath: `${ofContainers}/${SOCKET}`,
    shared,
  };
}

/** Makes the folder that is shared: where the mesh is root's, sidecar and application are two users, and its group joins them. */
export async function prepareWorkloadApi(
  { shared }: Pick<WorkloadApiPlace, "shared">,
  user: MeshUser,
): Promise<void> {
  if (shared === undefined) return;
  await mkdir(shared.source, { recursive: true, mode: 0o700 });
  if (user !== "root") return;
  await chown(shared.source, SIDECAR_UID, APPLICATION_UID);
  await chmod(shared.source, 0o2750);
}

/** A sidecar that was killed leaves its socket behind. */
export async function removeWorkloadApi({ settings, shared }: WorkloadApiPlace): Promise<void> {
  if (shared === undefined) await rm(settings.path, { force: true });
}
