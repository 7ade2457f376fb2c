/** How much memory processes take: shared pages count in parts, so that the sum over processes is what the machine gives. */
import { readFile } from "node:fs/promises";

const KIB = 1024;

/** @returns bytes (PSS); undefined where the system does not tell, or the process has ended */
export async function memoryOf(processId: number): Promise<number | undefined> {
  try {
    const text = await readFile(`/proc/${processId}/smaps_rollup`, "latin1");
    const kib = /^Pss:\s+(\d+) kB$/m.exec(text)?.[1];
    return kib === undefined ? undefined : Number(kib) * KIB;
  } catch {
    return undefined; // it has ended, or this is no Linux
  }
}
