/** `hauberk` with any arguments as a process of its own, for tests that use it as people do. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { eventually } from "./eventually.ts";
import { productCommand } from "./product-command.ts";

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  /** What it said so far. */
  readonly output: () => string;
  readonly errors: () => string;
  /** Once it has ended, and everything it started that holds its output. */
  readonly ended: Promise<CommandResult>;
  /** Ends it and listens no more, whatever it started. */
  stop(): void;
}

export function startHauberk(parameters: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, [...productCommand(), ...parameters], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (part: Buffer) => {
    output += part.toString();
  });
  child.stderr.on("data", (part: Buffer) => {
    errors += part.toString();
  });
  const ended = once(child, "close").then(([code]) => ({
    code: code as number | null,
    output,
    errors,
  }));
  const stop = (): void => {
    child.kill("SIGTERM");
    child.stdout.destroy();
    child.stderr.destroy();
  };
  return { child, output: () => output, errors: () => errors, ended, stop };
}

export function runHauberk(parameters: readonly string[]): Promise<CommandResult> {
  return startHauberk(parameters).ended;
}

/** @throws Error when the command ends, or does not say it in time */
export async function untilSaid(
  command: RunningCommand,
  text: RegExp,
  patience?: { readonly withinMs?: number },
): Promise<void> {
  const said = (): string => command.output() + command.errors();
  await eventually(
    () => `${text} in: ${said()}`,
    () => {
      const all = said();
      const { exitCode, signalCode } = command.child;
      if (exitCode !== null || signalCode !== null) throw new Error(`it ended, having said ${all}`);
      return text.test(all);
    },
    patience,
  );
}
