/** What a supervisor that was killed left running: found by the state file, ended before a new mesh starts. */
import { setTimeout as delay } from "node:timers/promises";
import { isRunning, type ProcessIdentity } from "../../runtime/process-identity.ts";
import type { MeshState, RunningProcess } from "../mesh-state.ts";
import { findEnclosures } from "../network/orphaned-enclosures.ts";
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
  if (state !== undefined) assertEnded(state.supervisor, dataDirectory);
  const left = state?.processes.filter(isRunning) ?? [];
  signalAll(left, "SIGTERM");
  await waitForEnd(left);
  signalAll(left.filter(isRunning), "SIGKILL");
  await waitForEnd(left);
  return [...left, ...(await endEnclosures(dataDirectory))];
}

function assertEnded(supervisor: ProcessIdentity, dataDirectory: string): void {
  if (!isRunning(supervisor) || supervisor.processId === process.pid) return;
  throw new MeshStartError(
    `a mesh already runs with its data in ${dataDirectory} (process ${supervisor.processId}); end it with \`hauberk down\`, or choose another folder with --data`,
  );
}

async function endEnclosures(dataDirectory: string): Promise<readonly RunningProcess[]> {
  const enclosures = await findEnclosures(dataDirectory);
  for (const { processId } of enclosures) sendSignal(processId, "SIGKILL");
  await waitForEnd(enclosures);
  return enclosures;
}

async function waitForEnd(processes: readonly RunningProcess[]): Promise<void> {
  const deadline = performance.now() + GRACE_MS;
  while (processes.some(isRunning) && performance.now() < deadline) await delay(LOOK_AGAIN_MS);
}

/** Each was started as leader of a group of its own. */
function signalAll(processes: readonly RunningProcess[], signal: NodeJS.Signals): void {
  for (const { processId } of processes) sendSignal(-processId, signal);
}

/** To one process, or to the group of a negative number; one that has ended needs none. */
function sendSignal(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
