/** The state file: what runs, where, since when. It lets a later `up`, and people, find a mesh. No secrets. */
import { lstat, readFile } from "node:fs/promises";
import type { Workload } from "../policy/workload.ts";
import { replaceFile } from "../runtime/atomic-file.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { ProcessIdentity } from "../runtime/process-identity.ts";

/** A state file of the data directory is damaged, or no file at all. */
export class UnreadableStateError extends HauberkError {
  readonly code = "HAUBERK_UNREADABLE_STATE";
}

export interface MeshState {
  readonly format: 2;
  /** The process that supervises the mesh. */
  readonly supervisor: ProcessIdentity;
  /** What other meshes call this one. */
  readonly cluster: string;
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

/**
 * @returns undefined when no mesh ever ran there, or only one of another format
 * @throws UnreadableStateError
 */
export async function readMeshState(file: string): Promise<MeshState | undefined> {
  const state = await readStateFile(file);
  const { format } = (state ?? {}) as Partial<MeshState>;
  return format === 2 ? (state as MeshState) : undefined;
}

/**
 * A JSON file that a mesh keeps from one run to the next.
 *
 * @returns undefined when it is not there
 * @throws UnreadableStateError when it is no regular file, or not JSON
 */
export async function readStateFile(file: string): Promise<unknown> {
  try {
    if (!(await lstat(file)).isFile()) throw new Error("it is not a regular file");
    return JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new UnreadableStateError(`${file} cannot be used; move it away and start again`, {
      cause,
    });
  }
}
