/** A probe or a hook by a command of its own, shut in as its container is: the exit code decides. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closedDescriptors } from "../processes/inherited-descriptors.ts";
import type { ProcessPlan } from "../processes/mesh-process.ts";

type Command = readonly [string, ...string[]];
export type ExecLaunch = Pick<ProcessPlan, "command" | "environment" | "workingDirectory">;

export interface ExecCheckOptions {
  /** What to start so that the command sees what the container sees. */
  readonly exec: (command: Command) => ExecLaunch;
  readonly signal: AbortSignal;
  /** Told of the process while it runs; returns what forgets it. Absent: nobody needs to know whose it is. */
  readonly admit?: ((processId: number) => () => void) | undefined;
}

/** @throws Error unless it ends with 0 */
export async function checkByCommand(
  [program = "", ...rest]: readonly string[],
  { exec, signal, admit }: ExecCheckOptions,
): Promise<void> {
  const { command, environment, workingDirectory } = exec([program, ...rest]);
  const [first, ...parameters] = command;
  const child = spawn(first, parameters, {
    cwd: workingDirectory,
    env: environment,
    stdio: closedDescriptors(),
    detached: true,
  });
  const forget = child.pid === undefined ? undefined : admit?.(child.pid);
  try {
    const [code] = await once(child, "exit", { signal });
    if (code !== 0) throw new Error(`${program} ended with ${code}`);
  } finally {
    forget?.();
    endGroup(child.pid);
  }
}

/** It leaves nothing behind, whether it ended or was given up. */
function endGroup(processId: number | undefined): void {
  try {
    if (processId !== undefined) process.kill(-processId, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
