/** The sockets and folders that a pod's sidecar makes for others: its administration, and what the pod's programs ask it for. */
import type { MeshUser } from "../network/host-side.ts";
import { type ProxylessPlace, proxylessPlace, removeProxyless } from "./proxyless-place.ts";
import type { AskingPod, MeshPlaces, SharedFolder } from "./shared-folder.ts";
import {
  prepareSidecarAdmin,
  removeSidecarAdmin,
  type SidecarAdminPlace,
  sidecarAdminPlace,
} from "./sidecar-admin-place.ts";
import {
  prepareWorkloadApi,
  removeWorkloadApi,
  type WorkloadApiPlace,
  workloadApiPlace,
} from "./workload-api-place.ts";

export interface PodPlaces {
  readonly admin: SidecarAdminPlace;
  /** Absent where the pod does not ask for it. */
  readonly workloadApi: WorkloadApiPlace | undefined;
  readonly proxyless: ProxylessPlace | undefined;
  /** The folder that sidecar and containers have in common; absent where all share the machine's files. */
  readonly shared?: SharedFolder["shared"];
}

export function podPlaces(pod: AskingPod, mesh: MeshPlaces): PodPlaces {
  const workloadApi = workloadApiPlace(pod, mesh);
  const proxyless = proxylessPlace(pod, mesh);
  const shared = (workloadApi ?? proxyless)?.shared;
  const admin = sidecarAdminPlace(pod.workload, mesh);
  return { admin, workloadApi, proxyless, ...(shared && { shared }) };
}

/**
 * Makes the folders anew.
 *
 * @param user whose the mesh is, where pods have namespaces of their own
 * @throws DataDirectoryError when something else is in their place
 */
export async function preparePlaces(
  { admin, ...places }: PodPlaces,
  { injected, user }: { readonly injected: boolean; readonly user: MeshUser | undefined },
): Promise<void> {
  await removeSidecarAdmin(admin);
  if (injected) await prepareSidecarAdmin(admin, user);
  if (user !== undefined) await prepareWorkloadApi(places, user);
}

export async function removePlaces({ admin, workloadApi, proxyless }: PodPlaces): Promise<void> {
  if (workloadApi) await removeWorkloadApi(workloadApi);
  if (proxyless) await removeProxyless(proxyless);
  await removeSidecarAdmin(admin);
}
