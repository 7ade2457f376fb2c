/** Tells a process from a later one with the same number: by when it was started. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

export interface ProcessIdentity {
  readonly processId: number;
  /** Opaque; equal for the same process only. */
  readonly startedAt: string;
}

/** Field 22 of `/proc/PID/stat`, counted after the command name, which may hold spaces. */
const START_TIME_FIELD = 19;

/** @returns undefined when there is no such process */
export function identifyProcess(processId: number): ProcessIdentity | undefined {
  const startedAt = existsSync("/proc/self/stat")
    ? startTimeFromProc(processId)
    : startTimeFromPs(processId);
  return startedAt === undefined ? undefined : { processId, startedAt };
}

/** Whether exactly this process still runs. */
export function isRunning({ processId, startedAt }: ProcessIdentity): boolean {
  return identifyProcess(processId)?.startedAt === startedAt;
}

function startTimeFromProc(processId: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${processId}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[START_TIME_FIELD];
  } catch {
    return undefined; // it has ended
  }
}

function startTimeFromPs(processId: number): string | undefined {
  try {
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(processId)], {
      encoding: "utf8",
    });
    return text.trim() || undefined;
  } catch {
    return undefined; // ps finds nothing
  }
}
