/** The state file: what runs, where, since when. It lets a later `up`, and people, find a mesh. No secrets. */
import { readFile } from "node:fs/promises";
import type { Workload } from "../policy/workload.ts";
import { replaceFile } from "../runtime/atomic-file.ts";
import type { ProcessIdentity } from "./process-identity.ts";

export interface MeshState {
  readonly format: 2;
  /** The process that supervises the mesh. */
  readonly supervisor: ProcessIdentity;
  readonly controlPlane: string;
  /** Unix socket on which the supervisor takes questions and orders. */
  readonly socket: string;
  readonly workloads: readonly Workload[];
  readonly processes: readonly RunningProcess[];
}

export interface RunningProcess extends ProcessIdentity {
  readonly title: string;
}

export async function writeMeshState(file: string, state: MeshState): Promise<void> {
  await replaceFile(file, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
}

/** @returns undefined when no mesh ever ran there, or only one of another format */
export async function readMeshState(file: string): Promise<MeshState | undefined> {
  try {
    const state = JSON.parse(await readFile(file, "utf8")) as Partial<MeshState>;
    return state.format === 2 ? (state as MeshState) : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
