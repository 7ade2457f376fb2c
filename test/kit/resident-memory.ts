/** Memory of another process, from outside: what it holds now, and the most that it held. Linux only. */
import { readFile, writeFile } from "node:fs/promises";

export interface ResidentMemory {
  /** MiB. */
  readonly now: number;
  /** MiB, since the process began or `forgetPeak`. */
  readonly peak: number;
}

const MIB = 1024;

export async function residentMemory(processId: number): Promise<ResidentMemory> {
  const status = await readFile(`/proc/${processId}/status`, "utf8");
  const mebibytes = (name: string): number => {
    const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
    if (kibibytes === undefined) throw new Error(`process ${processId} says nothing of ${name}`);
    return Number(kibibytes) / MIB;
  };
  return { now: mebibytes("VmRSS"), peak: mebibytes("VmHWM") };
}

/** The peak counts from now on. */
export async function forgetPeak(processId: number): Promise<void> {
  await writeFile(`/proc/${processId}/clear_refs`, "5");
}
