/** Which processes a process has started, and those again. */
import { readFile } from "node:fs/promises";

/** A tree that grows while it is read ends somewhere. */
const MAX_PROCESSES = 10_000;

/** @returns the process itself first; those that cannot be seen any more are left out */
export async function withDescendants(processId: number): Promise<readonly number[]> {
  const found = [processId];
  for (let at = 0; at < found.length && found.length < MAX_PROCESSES; at++) {
    found.push(...((await childrenOf(found[at] ?? 0)) ?? []));
  }
  return found;
}

/** @returns undefined where there is no such process, or the system does not tell */
export async function childrenOf(processId: number): Promise<readonly number[] | undefined> {
  try {
    const text = await readFile(`/proc/${processId}/task/${processId}/children`, "latin1");
    return text.split(" ").filter(Boolean).map(Number);
  } catch {
    return undefined; // it has ended, or this is no Linux
  }
}
