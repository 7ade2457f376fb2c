/** Starts a program as an ordinary user or as root, inside a mesh's namespaces or not: root can be both. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MeshUser } from "../../../src/local/network/host-side.ts";
import { meshNamespaceCommand } from "../../../src/local/network/mesh-namespace.ts";

const CHECKOUT = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const NOBODY = "65534";
const TIMEOUT_MS = 150_000;

export const isRoot: boolean = process.getuid?.() === 0;

export interface Run {
  /** Within the checkout. */
  readonly script: string;
  readonly where: "inside" | "on the host";
}

/** `MESH_USER` and `MESH_DATA` tell the script who it is and where it may write. */
export function runAs(user: MeshUser, { script, where }: Run): SpawnSyncReturns<string> {
  const folder = mkdtempSync(join(tmpdir(), "hauberk-inside-"));
  try {
    const home = join(folder, "home");
    const data = join(folder, "data");
    for (const one of [home, data]) mkdirSync(one);
    for (const one of [folder, home, data]) chmodSync(one, 0o777);
    const checkout = readableCheckout(user, folder);
    const command = [process.execPath, "--import", "tsx", join(checkout, script)];
    const [program = "", ...parameters] = [
      ...becoming(user),
      ...(where === "inside" ? meshNamespaceCommand(user, command) : command),
    ];
    const PATH = process.env["PATH"];
    return spawnSync(program, parameters, {
      cwd: checkout,
      encoding: "utf8",
      timeout: TIMEOUT_MS,
      env: { PATH, HOME: home, MESH_USER: user, MESH_DATA: data },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The command that makes an ordinary user of us, if we are none. */
function becoming(user: MeshUser): readonly string[] {
  if (!isRoot || user === "root") return [];
  return ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"];
}

/** The checkout, or a copy of it where its folders are closed to the user. */
function readableCheckout(user: MeshUser, folder: string): string {
  const [program = "", ...parameters] = [...becoming(user), "test", "-r"];
  const file = join(CHECKOUT, "package.json");
  if (spawnSync(program, [...parameters, file]).status === 0) return CHECKOUT;
  const copy = join(folder, "checkout");
  for (const name of ["package.json", "tsconfig.json", "src", "test", "node_modules"]) {
    cpSync(join(CHECKOUT, name), join(copy, name), { recursive: true, verbatimSymlinks: true });
  }
  return copy;
}
