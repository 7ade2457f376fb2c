/** How much memory processes take: shared pages count in parts, so that the sum over processes is what the machine gives. */
import { readFile } from "node:fs/promises";
import { withDescendants } from "../processes/descendants.ts";

const KIB = 1024;

/** @returns bytes (PSS); undefined where the system does not tell, or the process has ended */
async function memoryOf(processId: number): Promise<number | undefined> {
  try {
    const text = await readFile(`/proc/${processId}/smaps_rollup`, "latin1");
    const kib = /^Pss:\s+(\d+) kB$/m.exec(text)?.[1];
    return kib === undefined ? undefined : Number(kib) * KIB;
  } catch {
    return undefined; // it has ended, or this is no Linux
  }
}

/** @returns bytes, of these processes and of all that they have started; undefined where the system does not tell */
export async function memoryOfTrees(processIds: readonly number[]): Promise<number | undefined> {
  const all = await Promise.all(processIds.map(withDescendants));
  const sizes = await Promise.all(all.flat().map(memoryOf));
  const known = sizes.filter((size) => size !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, size) => sum + size, 0);
}
