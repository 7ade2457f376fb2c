/** The state file: what runs, where, since when. It lets a later `up`, and people, find a mesh. No secrets. */
import { lstat, readFile } from "node:fs/promises";
import type { Workload } from "../policy/workload.ts";
import { replaceFile } from "../runtime/atomic-file.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { identifyProcess, type ProcessIdentity } from "../runtime/process-identity.ts";
import type { SupervisedProcess } from "./processes/supervised-process.ts";

/** A state file of the data directory is damaged, or no file at all. */
export class UnreadableStateError extends HauberkError {
  readonly code = "HAUBERK_UNREADABLE_STATE";
}

/** More than one machine runs of them. */
const MAX_PROCESSES = 32_768;

export interface MeshState {
  readonly format: 2;
  /** The process that supervises the mesh. */
  readonly supervisor: ProcessIdentity;
  /** What other meshes call this one. */
  readonly cluster: string;
  readonly controlPlane: string;
  /** Unix socket on which the supervisor takes questions and orders, for people; commands know it by the data directory. */
  readonly socket: string;
  readonly workloads: readonly Workload[];
  readonly processes: readonly RunningProcess[];
}

export interface RunningProcess extends ProcessIdentity {
  readonly title: string;
}

/** @param running what this process supervises, with those that do not run at the moment */
export function meshStateNow(
  running: Pick<MeshState, "cluster" | "controlPlane" | "socket" | "workloads"> & {
    readonly processes: readonly SupervisedProcess[];
  },
): MeshState {
  return {
    format: 2,
    supervisor: identifyProcess(process.pid) ?? { processId: process.pid, startedAt: "" },
    ...running,
    processes: running.processes.flatMap(({ title, processId }) => {
      const identity = processId === undefined ? undefined : identifyProcess(processId);
      return identity === undefined ? [] : [{ title, ...identity }];
    }),
  };
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
  if (format !== 2) return undefined;
  const problem = problemOf(state as Partial<MeshState>);
  if (problem === undefined) return state as MeshState;
  throw unusable(file, new Error(problem));
}

/** Signals are sent to what is named there: to nothing else than single processes, and groups that they lead. */
function problemOf({ supervisor, processes, workloads }: Partial<MeshState>): string | undefined {
  if (!Array.isArray(processes) || !Array.isArray(workloads))
    return "it lacks processes or workloads";
  if (!isIdentity(supervisor)) return "its supervisor is no process";
  if (processes.length > MAX_PROCESSES) return `it names more than ${MAX_PROCESSES} processes`;
  // -1 is every process of this user, and so is the group of process 1; 0 is the group of whoever asks.
  if (!processes.every((one) => isIdentity(one) && one.processId > 1))
    return "it names what is no process of a mesh";
  const numbers = new Set(processes.map(({ processId }) => processId));
  return numbers.size < processes.length ? "it names a process twice" : undefined;
}

function isIdentity(value: Partial<ProcessIdentity> | undefined): value is ProcessIdentity {
  const { processId, startedAt } = value ?? {};
  return Number.isSafeInteger(processId) && Number(processId) > 0 && typeof startedAt === "string";
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
    throw unusable(file, cause);
  }
}

function unusable(file: string, cause: unknown): UnreadableStateError {
  return new UnreadableStateError(`${file} cannot be used; move it away and start again`, {
    cause,
  });
}
