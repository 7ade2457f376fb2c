/** The program of `hauberk run`: started on the same terminal, sent on what is signalled, its end passed on unchanged. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { isatty } from "node:tty";
import { describeError } from "../runtime/hauberk-error.ts";

const FORWARDED = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const;
/** A terminal sends these to all programs on it; to send them on would make one Ctrl-C two. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

/** As shells say it: the command is not there, or is there and cannot be run. */
const NOT_FOUND = 127;
const NOT_RUNNABLE = 126;

export interface JoinedProgram {
  readonly processId: number;
  /** The program's own exit code; 128 and the signal's number when a signal ended it. */
  readonly exitCode: Promise<number>;
}

export type ProgramStart =
  | JoinedProgram
  | { readonly problem: string; readonly failedWith: typeof NOT_FOUND | typeof NOT_RUNNABLE };

/** From now on signals to this process are the program's. */
export async function startProgram(
  [file, ...parameters]: readonly [string, ...string[]],
  environment: NodeJS.ProcessEnv,
): Promise<ProgramStart> {
  const child = spawn(file, parameters, { stdio: "inherit", env: environment });
  const exitCode = new Promise<number>((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      if (isOnTerminal() && FROM_TERMINAL.includes(signal)) return;
      child.kill(signal);
    });
  }
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const problem = `cannot run ${file}: ${describeError(error)}`;
    return { problem, failedWith: missing ? NOT_FOUND : NOT_RUNNABLE };
  }
  return { processId: child.pid ?? 0, exitCode };
}

function isOnTerminal(): boolean {
  return [0, 1, 2].some((descriptor) => isatty(descriptor));
}
