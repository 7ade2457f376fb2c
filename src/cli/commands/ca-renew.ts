/**
 * `hauberk ca renew`: the way out when a mesh made its authority under a wrong clock, so that it is not valid yet and no
 * control plane starts with it. Needs none: it works on the data directory, while the mesh is down.
 */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { openAuthorityRing } from "../../ca/authority-ring.ts";
import { controlPlaneFlags } from "../../control/control-plane-flags.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import { takeMeshLock } from "../../local/mesh-lock.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Printers } from "../print-line.ts";

/** @throws MeshStartError when the mesh runs; DataDirectoryError, FlagError, AuthorityRefusedError, KeyDirectoryError */
export async function caRenewCommand(
  options: { readonly data: string },
  { print, warn, clock }: Printers & { readonly clock: Clock },
): Promise<number> {
  const directory = new DataDirectory(options.data);
  await directory.verify();
  const { selfSignedLifetimeMs: lifetimeMs } = controlPlaneFlags(process.env);
  if (!(await exists(join(directory.path, "ca", "ledger.json")))) {
    warn(`hauberk: ${directory.path} has no authorities: \`hauberk up\` makes one`);
    return 1;
  }
  const lock = await takeMeshLock(directory.lock);
  try {
    const place = { directory: directory.path, clock, lifetimeMs };
    const ring = await openAuthorityRing({ ...place, early: "replaced" });
    for (const notice of ring.notices) print(notice);
    if (ring.notices.length > 0) return 0;
    warn(`hauberk: nothing was changed: authority ${ring.issuer.current.id} is valid now`);
    return 1;
  } finally {
    await lock.release();
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
