/** An Envoy that outlived its agent, which was killed: it holds the ports, and nobody tells it anything. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { identifyProcess, isRunning, type ProcessIdentity } from "../runtime/process-identity.ts";
import { ENVOY_PROCESS_FILE } from "./agent-places.ts";

const LOOK_AGAIN_MS = 20;
const PATIENCE_MS = 5_000;

export async function rememberEnvoy(folder: string, processId: number | undefined): Promise<void> {
  const identity = processId === undefined ? undefined : identifyProcess(processId);
  if (identity === undefined) return;
  await writeFile(join(folder, ENVOY_PROCESS_FILE), JSON.stringify(identity), { mode: 0o600 });
}

/** @returns whether there was one */
export async function endEarlierEnvoy(folder: string): Promise<boolean> {
  const identity = await readIdentity(folder);
  if (identity === undefined || !isRunning(identity)) return false;
  process.kill(identity.processId, "SIGKILL");
  const deadline = performance.now() + PATIENCE_MS;
  while (isRunning(identity) && performance.now() < deadline) await delay(LOOK_AGAIN_MS);
  return true;
}

async function readIdentity(folder: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(join(folder, ENVOY_PROCESS_FILE), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ProcessIdentity);
}
