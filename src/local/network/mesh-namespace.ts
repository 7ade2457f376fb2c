/**
 * How a mesh gets namespaces of its own: it is started again inside them. An ordinary user needs a user namespace
 * first, in which it has every capability and still is no root: some programs refuse to run as that.
 */
import type { MeshUser } from "./host-side.ts";
import { APPLICATION_UID } from "./mesh-ranges.ts";
import { systemProgram } from "./system-programs.ts";

/**
 * @param command what is to run inside, with the same process id
 * @returns the command that starts it there
 */
export function meshNamespaceCommand(
  user: MeshUser,
  command: readonly string[],
): readonly [string, ...string[]] {
  const own =
    user === "root"
      ? []
      : [
          "--user",
          `--map-user=${APPLICATION_UID}`,
          `--map-group=${APPLICATION_UID}`,
          "--keep-caps",
        ];
  return [systemProgram("unshare"), ...own, "--net", "--mount", "--", ...command];
}
