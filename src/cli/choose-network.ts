/** Which network a mesh gets: as asked for, or as good as this machine allows; what it does not allow is named. */

import type { MeshUser } from "../local/network/host-side.ts";
import { examineNetwork, type Obstacle } from "../local/network/network-capability.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { NetworkChoice } from "./network-choice.ts";
import type { Print } from "./print-line.ts";

export interface ChosenNetwork {
  readonly mode: Exclude<NetworkChoice, "auto">;
  readonly user: MeshUser;
}

/** Programs of a pod are never root: whatever only root can read, they cannot. */
const FOR_ROOT =
  "whose files the programs of a pod cannot all read; --network namespaces, or an ordinary user, gives pods networks of their own";

/** This machine does not allow a mesh of network namespaces. */
export class NetworkNotAllowedError extends HauberkError {
  readonly code = "HAUBERK_NETWORK_NOT_ALLOWED";
}

/** @throws NetworkNotAllowedError when namespaces are asked for by name and cannot be had */
export async function chooseNetwork(choice: NetworkChoice, print: Print): Promise<ChosenNetwork> {
  const user = process.getuid?.() === 0 ? "root" : "ordinary";
  const loopback: ChosenNetwork = { mode: "loopback", user };
  if (choice === "loopback") return loopback;
  if (choice === "auto" && user === "root") {
    print(`loopback mode, since this is root, ${FOR_ROOT}`);
    return loopback;
  }
  const examined = await examineNetwork();
  if (examined.allowed) return { mode: "namespaces", user };
  const lines = examined.obstacles.flatMap(describe);
  if (choice === "namespaces") {
    throw new NetworkNotAllowedError(
      `this machine does not allow --network namespaces:\n${lines.join("\n")}\nor run with --network loopback`,
    );
  }
  print("loopback mode, since pods cannot have networks of their own here:");
  for (const line of lines) print(line);
  return loopback;
}

function describe({ what, because, remedy }: Obstacle): readonly string[] {
  return [`  ${what}: ${because}`, `    ${remedy}`];
}
