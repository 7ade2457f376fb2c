/** Where a command that runs a mesh goes on: here, on the loopback, or in a process inside namespaces made for it. */
import { DataDirectory } from "../local/data-directory.ts";
import type { HostSide } from "../local/network/host-side.ts";
import { chooseNetwork } from "./choose-network.ts";
import { isInside, openHostSide } from "./host-pipe.ts";
import type { NetworkChoice } from "./network-choice.ts";
import type { Print } from "./print-line.ts";

export type EnteredNetwork =
  | { readonly mode: "loopback" }
  | { readonly mode: "namespaces"; readonly host: HostSide }
  /** Another process did everything; this is its exit code. */
  | { readonly mode: "ran-inside"; readonly exitCode: number };

/**
 * Makes the data directory too, as long as it can be seen whose the folders around it are: inside, all but the user's own
 * belong to nobody.
 *
 * @throws NetworkNotAllowedError, NotInsideError, DataDirectoryError
 */
export async function enterNetwork(
  { network: choice, data }: { readonly network: NetworkChoice; readonly data: string },
  print: Print,
): Promise<EnteredNetwork> {
  if (isInside()) return { mode: "namespaces", host: await openHostSide() };
  const { mode, user } = await chooseNetwork(choice, print);
  await new DataDirectory(data).create();
  if (mode === "loopback") return { mode };
  const { runInside } = await import("./host-process.ts");
  return { mode: "ran-inside", exitCode: await runInside(user) };
}
