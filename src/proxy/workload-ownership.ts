/**
 * Whether a connection on loopback comes from the pod's own processes: the outbound side speaks with the pod's identity,
 * so it must not serve others (design 4a). Needs Linux's `/proc`.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { AcceptedConnection } from "./accepted-connection.ts";
import { commandName, holdsSocket, processIds, processTree } from "./process-tree.ts";
import { type DiagnoseSocket, openSocketDiagnosis } from "./socket-diagnosis.ts";
import { findSocketInode, type SocketEnds } from "./socket-table.ts";

export type Ownership =
  | { readonly owner: "own-workload" }
  | { readonly owner: "foreign"; readonly problem: string; readonly process?: ForeignProcess };

export interface ForeignProcess {
  readonly processId: number;
  readonly command: string;
}

/** Rows may be missed while the kernel's table changes under the reader. */
const READINGS = 3;
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];

/** Whether owners can be found on this machine. */
export function canTellOwners(): boolean {
  return existsSync("/proc/net/tcp") && existsSync("/proc/self/fd");
}

/** @param applicationProcessIds the first process of each container of the pod; empty before they run */
export async function ownershipOf(
  { remote, local }: AcceptedConnection,
  applicationProcessIds: readonly number[],
): Promise<Ownership> {
  if (applicationProcessIds.length === 0) {
    return { owner: "foreign", problem: "the pod's application does not run yet" };
  }
  const inode = await findClientInode({ local: remote, remote: local });
  if (inode === undefined) return { owner: "foreign", problem: "the caller's socket is not found" };
  const isHolder = (processId: number): boolean => holdsSocket(processId, inode);
  if (applicationProcessIds.some(isHolder)) return { owner: "own-workload" };
  const tree = processTree(applicationProcessIds);
  if ([...tree].some(isHolder)) return { owner: "own-workload" };
  return foreignOwner(inode, tree);
}

let diagnosis: { readonly ask: DiagnoseSocket | undefined } | undefined;

async function findClientInode(ends: SocketEnds): Promise<string | undefined> {
  diagnosis ??= { ask: openSocketDiagnosis() };
  const diagnosed = diagnosis.ask?.(ends) ?? "absent";
  return diagnosed === "absent" ? readClientInode(ends) : diagnosed;
}

async function readClientInode(ends: SocketEnds): Promise<string | undefined> {
  for (let reading = 0; reading < READINGS; reading++) {
    for (const table of TABLES) {
      const text = existsSync(table) ? await readFile(table, "latin1") : "";
      const inode = findSocketInode(text, ends);
      if (inode !== undefined) return inode;
    }
  }
  return undefined;
}

function foreignOwner(inode: string, tree: ReadonlySet<number>): Ownership {
  const processId = processIds().find((id) => !tree.has(id) && holdsSocket(id, inode));
  if (processId === undefined) {
    return { owner: "foreign", problem: "the caller is no process of the pod" };
  }
  const command = commandName(processId);
  const problem = `the caller is process ${processId} (${command}), which is not the pod's`;
  return { owner: "foreign", problem, process: { processId, command } };
}
