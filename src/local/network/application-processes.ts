/**
 * Which processes are the application's own, behind those that enclose it: they are the ones to ask to end, since the
 * enclosure ends at once when it is asked, and its application with it.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { childrenOf } from "../processes/descendants.ts";

/** How long an enclosure may take to get to the point of starting its application. */
const START_MS = 3_000;
const LOOK_AGAIN_MS = 5;

/**
 * Waits for an application that is not started yet.
 *
 * @param outer process id of what `encloseContainer`'s command was started as
 * @returns process ids, the first process and what it left behind; none when it has ended, or did not start in 3 s
 */
export async function applicationProcesses(outer: number): Promise<readonly number[]> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const inside = await childrenOf(outer);
    if (inside === undefined) return [];
    for (const init of inside) {
      if (!(await isFirstOfNamespace(init))) continue;
      const own = await childrenOf(init);
      if (own !== undefined && own.length > 0) return own;
    }
    if (performance.now() > deadline) return [];
    await delay(LOOK_AGAIN_MS);
  }
}

/** The enclosure's own init, which is process 1 inside. */
async function isFirstOfNamespace(processId: number): Promise<boolean> {
  const status = await readProc(`${processId}/status`);
  const [, ids = ""] = /^NSpid:\s*(.*)$/m.exec(status ?? "") ?? [];
  const all = ids.split(/\s+/);
  return all.length > 1 && all.at(-1) === "1";
}

async function readProc(path: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${path}`, "utf8");
  } catch {
    return undefined; // it has ended
  }
}
