/** The state file: what runs, where, since when. It lets a second `up`, and people, find a mesh. No secrets. */
import { readFile } from "node:fs/promises";
import type { Workload } from "../policy/workload.ts";
import { replaceFile } from "../runtime/atomic-file.ts";

export interface MeshState {
  readonly format: 1;
  /** Process that supervises the mesh. */
  readonly supervisor: number;
  readonly controlPlane: string;
  readonly workloads: readonly Workload[];
  readonly processes: readonly { readonly title: string; readonly processId: number }[];
}

export async function writeMeshState(file: string, state: MeshState): Promise<void> {
  await replaceFile(file, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
}

/** @returns undefined when no mesh ever ran there */
export async function readMeshState(file: string): Promise<MeshState | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as MeshState;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether a process with this id runs, whoever it is. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
