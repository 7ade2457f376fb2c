/** What a supervisor that was killed left running: found by the state file, ended before a new mesh starts. */
import { setTimeout as delay } from "node:timers/promises";
import { isRunning } from "../../runtime/process-identity.ts";
import type { MeshState, RunningProcess } from "../mesh-state.ts";
import { MeshStartError } from "./own-process.ts";

/** How long they may take to end by themselves. */
const GRACE_MS = 6_000;
const LOOK_AGAIN_MS = 20;

/**
 * @returns what was ended
 * @throws MeshStartError when the mesh is alive, supervisor and all
 */
export async function endLeftovers(
  state: MeshState | undefined,
  dataDirectory: string,
): Promise<readonly RunningProcess[]> {
  if (state === undefined) return [];
  if (isRunning(state.supervisor) && state.supervisor.processId !== process.pid) {
    throw new MeshStartError(
      `a mesh already runs with its data in ${dataDirectory} (process ${state.supervisor.processId}); end it with \`hauberk down\`, or choose another folder with --data`,
    );
  }
  const left = state.processes.filter(isRunning);
  signalAll(left, "SIGTERM");
  await waitForEnd(left);
  signalAll(left.filter(isRunning), "SIGKILL");
  await waitForEnd(left);
  return left;
}

async function waitForEnd(processes: readonly RunningProcess[]): Promise<void> {
  const deadline = performance.now() + GRACE_MS;
  while (processes.some(isRunning) && performance.now() < deadline) await delay(LOOK_AGAIN_MS);
}

/** Each was started as leader of a group of its own. */
function signalAll(processes: readonly RunningProcess[], signal: NodeJS.Signals): void {
  for (const { processId } of processes) {
    try {
      process.kill(-processId, signal);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}
