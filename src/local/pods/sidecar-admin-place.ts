/**
 * Where a sidecar's administration is: a socket in a folder of its own, which is closed to other users, and in no mount
 * of the pod's containers.
 */
import { chmod, chown, lstat, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Workload } from "../../policy/workload.ts";
import { ADMIN_SOCKET, type DataDirectory, DataDirectoryError } from "../data-directory.ts";
import type { OpenFolder } from "../network/enclosure.ts";
import type { MeshUser } from "../network/host-side.ts";
import { ADMIN_FOLDER_DESCRIPTOR, SIDECAR_UID } from "../network/mesh-ranges.ts";

export interface SidecarAdminPlace {
  readonly folder: string;
  /** For whoever asks; perhaps longer than a socket's path may be. */
  readonly path: string;
  /** The same for the sidecar, which makes it. */
  readonly sidecarPath: string;
  /** What a sidecar that sees nothing of the data directory gets of it; absent where it sees all. */
  readonly open?: OpenFolder;
}

export function sidecarAdminPlace(
  workload: Pick<Workload, "namespace" | "name">,
  {
    dataDirectory,
    user,
  }: {
    readonly dataDirectory: DataDirectory;
    /** Whose the mesh is, where pods have namespaces of their own; absent where they have not. */
    readonly user: MeshUser | undefined;
  },
): SidecarAdminPlace {
  if (user === undefined) {
    const folder = dataDirectory.reachableAdminFolder(workload);
    const path = join(folder, ADMIN_SOCKET);
    return { folder, path, sidecarPath: path };
  }
  const folder = dataDirectory.adminFolder(workload);
  return {
    folder,
    path: join(folder, ADMIN_SOCKET),
    sidecarPath: `/proc/self/fd/${ADMIN_FOLDER_DESCRIPTOR}/${ADMIN_SOCKET}`,
    open: { source: folder, descriptor: ADMIN_FOLDER_DESCRIPTOR },
  };
}

/**
 * Makes the folder: the sidecar's own user's, and nobody else's.
 *
 * @throws DataDirectoryError when something else is in its place
 */
export async function prepareSidecarAdmin(
  { folder }: Pick<SidecarAdminPlace, "folder">,
  user: MeshUser | undefined,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid()))
    throw new DataDirectoryError(`${folder} is not a folder of this user; remove it`);
  await chmod(folder, 0o700);
  if (user === "root") await chown(folder, SIDECAR_UID, SIDECAR_UID);
}

export async function removeSidecarAdmin({
  folder,
}: Pick<SidecarAdminPlace, "folder">): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
