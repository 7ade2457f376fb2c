/** A proxy as the system sees it: the processor time it took and the memory it holds, of this process and no other. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Where proxies run, and nothing else of ours. */
export const PROXY_CORE = 0;
/** Where the load, the origin, the control plane and this benchmark run. */
export const LOAD_CORE = 1;

/** Of `/proc/PID/stat`, a second: fixed for programs, whatever the kernel counts by. */
const TICKS = 100;
const USER_FIELD = 11;
const GRACE_MS = 3_000;
const KILOBYTE = 1024;

export interface MeasuredProcess {
  readonly processId: number;
  stop(): Promise<void>;
}

/** @returns processor seconds so far, of all its threads */
export function cpuSeconds({ processId }: Pick<MeasuredProcess, "processId">): number {
  const text = readFileSync(`/proc/${processId}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_FIELD]) + Number(fields[USER_FIELD + 1])) / TICKS;
}

/** @returns megabytes */
export function residentMemory({ processId }: Pick<MeasuredProcess, "processId">): number {
  const text = readFileSync(`/proc/${processId}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]) / KILOBYTE;
}

/** @returns seconds for which any process ran on the proxies' core */
export function proxyCoreSeconds(): number {
  const line = new RegExp(`^cpu${PROXY_CORE} (.*)$`, "m").exec(
    readFileSync("/proc/stat", "latin1"),
  );
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0] = (line?.[1] ?? "")
    .split(" ")
    .map(Number);
  return (user + nice + system + irq + soft) / TICKS;
}

/** However this process ends, short of being killed, they end with it. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** @param log file that takes what it says */
export async function startPinned(
  command: readonly string[],
  {
    core,
    log,
    environment = {},
  }: {
    readonly core: number;
    readonly log: string;
    readonly environment?: Readonly<Record<string, string>>;
  },
): Promise<MeasuredProcess> {
  const output = openSync(log, "a");
  const child = spawn("taskset", ["-c", String(core), ...command], {
    stdio: ["ignore", output, output],
    env: { ...process.env, ...environment },
  });
  closeSync(output);
  await once(child, "spawn");
  running.add(child);
  child.once("exit", () => running.delete(child));
  return { processId: child.pid ?? 0, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await Promise.race([ended, delay(GRACE_MS, undefined, { ref: false })]);
  if (child.exitCode === null) child.kill("SIGKILL");
  await ended;
}
