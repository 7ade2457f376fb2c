/** Runs a program that changes namespaces, interfaces or rules, and says what it said when it fails. */
import { type ChildProcess, spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { closedDescriptors } from "../processes/inherited-descriptors.ts";
import { FabricError } from "./fabric-error.ts";
import { systemPath } from "./system-programs.ts";

const TIMEOUT_MS = 10_000;

export interface SystemProgramOptions {
  /** What it reads from its standard input. */
  readonly input?: string;
  readonly workingDirectory?: string;
}

/**
 * @returns what it printed
 * @throws FabricError when it cannot be started, fails, or takes longer than 10 s
 */
export async function runSystemProgram(
  [program, ...parameters]: readonly [string, ...string[]],
  { input = "", workingDirectory = "/" }: SystemProgramOptions = {},
): Promise<string> {
  const [, , , ...others] = closedDescriptors();
  const child = spawn(program, parameters, {
    cwd: workingDirectory,
    env: { PATH: systemPath(), LC_ALL: "C" },
    stdio: ["pipe", "pipe", "pipe", ...others],
    detached: true,
  });
  const deadline = setTimeout(() => endGroup(child), TIMEOUT_MS);
  const ended = endOf(child).finally(() => clearTimeout(deadline));
  child.stdin?.on("error", () => child.stdin?.destroy()); // it ended without reading; its exit code tells
  child.stdin?.end(input);
  const [printed, complaint, exit] = await Promise.all([
    child.stdout === null ? "" : text(child.stdout),
    child.stderr === null ? "" : text(child.stderr),
    ended,
  ]).catch((cause: unknown) => {
    throw new FabricError(`${program} cannot be run`, { cause });
  });
  if (exit === "0") return printed;
  const words = complaint.trim() || printed.trim() || `ended with ${exit}`;
  throw new FabricError(`${[program, ...parameters.slice(0, 2)].join(" ")}: ${words}`);
}

/** With whatever it started, and holds its output. */
function endGroup({ pid, stdout, stderr }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
  stdout?.destroy();
  stderr?.destroy();
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(signal ?? String(code)));
  });
}
