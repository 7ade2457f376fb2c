/** One process of the mesh: started in a group of its own, output into files, an optional pipe to talk over. */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { readJsonLines, writeJsonLine } from "../../runtime/json-lines.ts";
import { closedDescriptors } from "./inherited-descriptors.ts";

/** How long a process may take to end after SIGTERM, unless its plan says otherwise. */
const GRACE_MS = 5_000;

export interface ProcessPlan {
  /** For people: `production/api-0 sidecar`. */
  readonly title: string;
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly logDirectory: string;
  /** File names in `logDirectory`. */
  readonly output: string;
  readonly errors: string;
  /** Whether to open the pipe: file descriptor 3 of the process. */
  readonly pipe: "none" | "json-lines";
  /** How long it may take to end after SIGTERM, in milliseconds. */
  readonly graceMs?: number;
  /**
   * Whom SIGTERM is for, given the process that was started: where a shell of other processes stands around the program,
   * only the program is asked to end, and the shell ends with it. Absent: the whole group.
   */
  readonly programsOf?: (processId: number) => Promise<readonly number[]>;
  /** Hears what the process says over the pipe. */
  readonly receive?: (message: unknown) => void;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Those that run: however this process ends, short of being killed, they end with it. */
const running = new Set<MeshProcess>();
process.once("exit", () => {
  for (const one of running) one.kill();
});

export class MeshProcess {
  readonly title: string;
  readonly processId: number;
  readonly exit: Promise<ProcessExit>;
  readonly #graceMs: number;
  readonly #programsOf: ProcessPlan["programsOf"];
  readonly #pipe: Duplex | undefined;
  #ended: ProcessExit | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(plan: ProcessPlan, child: ChildProcess, pipe?: Duplex) {
    this.title = plan.title;
    this.processId = child.pid ?? 0;
    this.#graceMs = plan.graceMs ?? GRACE_MS;
    this.#programsOf = plan.programsOf;
    this.#pipe = pipe;
    running.add(this);
    this.exit = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.kill(); // what it started ends with it
        running.delete(this);
        this.#ended = { code, signal };
        resolve(this.#ended);
      });
    });
  }

  /** @throws Error when the command cannot be started */
  static async start(plan: ProcessPlan): Promise<MeshProcess> {
    await mkdir(plan.logDirectory, { recursive: true, mode: 0o700 });
    const [output, errors] = await Promise.all(
      [plan.output, plan.errors].map((name) => open(join(plan.logDirectory, name), "a", 0o600)),
    );
    try {
      const [file, ...parameters] = plan.command;
      const child = spawn(file, parameters, {
        cwd: plan.workingDirectory,
        env: plan.environment,
        detached: true,
        stdio: descriptorsOf(plan, { output: output?.fd, errors: errors?.fd }),
      });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
      const pipe = plan.pipe === "none" ? undefined : connectPipe(child, plan);
      return new MeshProcess(plan, child, pipe);
    } finally {
      await Promise.all([output?.close(), errors?.close()]);
    }
  }

  get ended(): ProcessExit | undefined {
    return this.#ended;
  }

  send(message: unknown): void {
    if (this.#pipe !== undefined) writeJsonLine(this.#pipe, message);
  }

  /** Asks the program, or the whole group, to end, and ends the group after the grace time. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopOnce();
    return this.#stopping;
  }

  async #stopOnce(): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.#askToEnd();
    if (this.#ended === undefined) {
      await Promise.race([this.exit, delay(this.#graceMs, undefined, { ref: false })]);
    }
    this.kill();
    await this.exit;
    this.#pipe?.destroy();
  }

  async #askToEnd(): Promise<void> {
    if (this.#programsOf === undefined) {
      this.#signal("SIGTERM");
      return;
    }
    for (const processId of await this.#programsOf(this.processId)) {
      sendSignal(processId, "SIGTERM");
    }
  }

  /** Ends the whole group at once. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    sendSignal(-this.processId, signal);
  }
}

/** To one process, or to the group of a negative number; one that has ended needs none. */
function sendSignal(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Nothing but these: what this process was itself started with is closed to the child. */
function descriptorsOf(
  plan: ProcessPlan,
  { output, errors }: { readonly output: number | undefined; readonly errors: number | undefined },
): StdioOptions {
  const [, , , , ...others] = closedDescriptors();
  const pipe = plan.pipe === "none" ? "ignore" : "pipe";
  return ["ignore", output ?? "ignore", errors ?? "ignore", pipe, ...others];
}

function connectPipe(child: ChildProcess, { receive }: ProcessPlan): Duplex {
  const pipe = child.stdio[3] as Duplex;
  pipe.on("error", () => pipe.destroy()); // the process ended; its exit is reported by itself
  readJsonLines(pipe, (message) => receive?.(message));
  return pipe;
}
