/**
 * `hauberk down`: ends the mesh on this machine, also what a supervisor that was killed left. Exit 0: nothing runs any
 * more; 1: no mesh ever ran there, or something still runs.
 */
import { setTimeout as delay } from "node:timers/promises";
import { DataDirectory } from "../../local/data-directory.ts";
import { findMesh, MeshClient, NoMeshError } from "../../local/joining/mesh-client.ts";
import { type MeshState, readMeshState } from "../../local/mesh-state.ts";
import { endLeftovers } from "../../local/processes/leftover-processes.ts";
import { isRunning } from "../../runtime/process-identity.ts";
import type { Print } from "../print-line.ts";

const PATIENCE_MS = 60_000;
const LOOK_AGAIN_MS = 20;

/** @throws NoMeshError when no mesh has its data there */
export async function downCommand(
  options: { readonly data: string },
  print: Print,
): Promise<number> {
  const dataDirectory = new DataDirectory(options.data);
  const state = await findMesh(dataDirectory);
  const { supervisor } = state;
  if (!isRunning(supervisor)) {
    const left = await endWhatIsLeft(state, { dataDirectory, print });
    if (left === "nothing")
      print(`nothing runs; the mesh with its data in ${dataDirectory.path} has ended before`);
    return left === "survivors" ? 1 : 0;
  }
  await askToStop(dataDirectory, state);
  print(`asked process ${supervisor.processId} to end the mesh`);
  const known = await waitForEnd(dataDirectory, state);
  if (isRunning(supervisor)) {
    print(`process ${supervisor.processId} still runs after ${PATIENCE_MS / 1000} s`);
    return 1;
  }
  const pods = known.workloads.length;
  print(`ended: the control plane and ${pods} ${pods === 1 ? "pod" : "pods"}`);
  return (await endWhatIsLeft(known, { dataDirectory, print })) === "survivors" ? 1 : 0;
}

/** The socket says it politely; a supervisor that does not listen there is told by signal. */
async function askToStop(dataDirectory: DataDirectory, { supervisor }: MeshState): Promise<void> {
  let client: MeshClient | undefined;
  try {
    client = await MeshClient.connect(dataDirectory);
    await client.ask({ type: "stop" });
  } catch (error) {
    if (!(error instanceof NoMeshError)) throw error;
    if (!isRunning(supervisor)) return;
    process.kill(supervisor.processId, "SIGTERM");
    process.kill(supervisor.processId, "SIGCONT"); // one that was stopped hears of it only so
  } finally {
    client?.close();
  }
}

/** @returns the last state that told of running processes */
async function waitForEnd(dataDirectory: DataDirectory, first: MeshState): Promise<MeshState> {
  let known = first;
  await waitUntil(async () => {
    const state = await readMeshState(dataDirectory.meshState);
    if (state !== undefined && state.processes.length > 0) known = state;
    return !isRunning(first.supervisor);
  }, PATIENCE_MS);
  return known;
}

async function endWhatIsLeft(
  state: MeshState,
  { dataDirectory, print }: { readonly dataDirectory: DataDirectory; readonly print: Print },
): Promise<"nothing" | "ended" | "survivors"> {
  const ended = await endLeftovers(state, dataDirectory.path);
  if (ended.length === 0) return "nothing";
  print(`ended what was left: ${ended.map(({ title }) => title).join(", ")}`);
  const survivors = ended.filter(isRunning);
  for (const { title, processId } of survivors) print(`${title} (process ${processId}) still runs`);
  return survivors.length === 0 ? "ended" : "survivors";
}

async function waitUntil(holds: () => Promise<boolean>, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds()) && performance.now() < deadline) await delay(LOOK_AGAIN_MS);
}
