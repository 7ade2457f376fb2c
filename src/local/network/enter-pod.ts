/**
 * Runs a program of the user's own in the network of a pod: it keeps its terminal, its files and its user, and sees the
 * pod's addresses, ports and names. It keeps its process number too, so that signals are the program's.
 */
import type { JoinedNetwork } from "../joining/mesh-socket-messages.ts";
import { systemProgram } from "./system-programs.ts";

/** Names are the pod's; then the program, with nothing that could change the pod's network. */
const WITH_NAMES = `set -eu
mount=$1 setpriv=$2 resolver=$3
shift 3
"$mount" --bind "$resolver" /etc/resolv.conf
exec "$setpriv" --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs -- "$@"`;

/** @returns the command that does so, for whoever runs `hauberk run` */
export function enterPod(
  { user, processId, resolverFile }: JoinedNetwork,
  command: readonly [string, ...string[]],
  own: { readonly uid: number; readonly gid: number } = ownIds(),
): readonly [string, ...string[]] {
  const namespaces = user === "root" ? ["--net"] : ["--user", "--preserve-credentials", "--net"];
  // Inside the mesh's user namespace, one of our own: only so may we mount, and there we are called what we are called.
  const users =
    user === "root"
      ? []
      : ["--user", `--map-user=${own.uid}`, `--map-group=${own.gid}`, "--keep-caps"];
  return [
    systemProgram("nsenter"),
    `--target=${processId}`,
    ...namespaces,
    "--",
    systemProgram("unshare"),
    ...users,
    "--mount",
    "--",
    "/bin/sh",
    "-c",
    WITH_NAMES,
    "enter-pod",
    systemProgram("mount"),
    systemProgram("setpriv"),
    resolverFile,
    ...command,
  ];
}

function ownIds(): { readonly uid: number; readonly gid: number } {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}
