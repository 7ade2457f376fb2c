/** One process of the mesh: started in a group of its own, output into files, an optional pipe to talk over. */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { readJsonLines, writeJsonLine } from "../../runtime/json-lines.ts";
import { closedDescriptors } from "./inherited-descriptors.ts";
import { LOG_PREDECESSORS, predecessorName } from "./log-predecessors.ts";

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
  /** "bounded": the process keeps its logs small, and gets the files that take what they held. Absent: they grow. */
  readonly logs?: "bounded";
  /** A further file that the process may write, bounded as its logs: descriptors 6 and, for what it held, 7. */
  readonly accessLog?: string;
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
  /** On the monotonic clock: when it is made to end. */
  #endsAt: number = Number.POSITIVE_INFINITY;
  #killing: NodeJS.Timeout | undefined;

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
        clearTimeout(this.#killing);
        this.#ended = { code, signal };
        resolve(this.#ended);
      });
    });
  }

  /** @throws Error when the command cannot be started */
  static async start(plan: ProcessPlan): Promise<MeshProcess> {
    const logs = await openLogs(plan);
    try {
      const [file, ...parameters] = plan.command;
      const isBounded = logs.predecessors.length > 0;
      const child = spawn(file, parameters, {
        cwd: plan.workingDirectory,
        env: isBounded
          ? { ...plan.environment, [LOG_PREDECESSORS.variable]: "1" }
          : plan.environment,
        detached: true,
        stdio: descriptorsOf(plan, logs),
      });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
      const pipe = plan.pipe === "none" ? undefined : connectPipe(child, plan);
      return new MeshProcess(plan, child, pipe);
    } finally {
      await Promise.all(
        [logs.output, logs.errors, ...logs.predecessors].map((opened) => opened?.close()),
      );
    }
  }

  get ended(): ProcessExit | undefined {
    return this.#ended;
  }

  send(message: unknown): void {
    if (this.#pipe !== undefined) writeJsonLine(this.#pipe, message);
  }

  /**
   * Asks the program, or the whole group, to end, and ends the group after the grace time.
   *
   * @param graceMs absent: as planned
   */
  stop(graceMs: number = this.#graceMs): Promise<void> {
    if (this.#stopping === undefined) this.#endWithin(graceMs);
    this.#stopping ??= this.#stopOnce();
    return this.#stopping;
  }

  /** If it was asked to end, it has no more than so long from now on. */
  hurry(graceMs: number): void {
    if (this.#stopping !== undefined) this.#endWithin(graceMs);
  }

  async #stopOnce(): Promise<void> {
    if (this.#ended === undefined) await this.#askToEnd();
    await this.exit;
    this.#pipe?.destroy();
  }

  #endWithin(graceMs: number): void {
    const endsAt = performance.now() + graceMs;
    if (this.#ended !== undefined || endsAt >= this.#endsAt) return;
    this.#endsAt = endsAt;
    clearTimeout(this.#killing);
    this.#killing = setTimeout(() => this.kill(), graceMs);
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

interface OpenLogs {
  readonly output: FileHandle | undefined;
  readonly errors: FileHandle | undefined;
  /** None; or one for each of both, in that order, and then a further log with its own. */
  readonly predecessors: readonly (FileHandle | undefined)[];
}

/** A process starts whether or not there is room for what it may have to say. */
async function openLogs({
  logDirectory,
  output,
  errors,
  accessLog,
  logs,
}: ProcessPlan): Promise<OpenLogs> {
  const openLog = async (name: string): Promise<FileHandle | undefined> => {
    try {
      await mkdir(logDirectory, { recursive: true, mode: 0o700 });
      return await open(join(logDirectory, name), "a+", 0o600);
    } catch (error) {
      if (isLackOfRoom(error)) return undefined;
      throw error;
    }
  };
  const further = [predecessorName(output), predecessorName(errors)];
  if (accessLog !== undefined) further.push(accessLog, predecessorName(accessLog));
  return {
    output: await openLog(output),
    errors: await openLog(errors),
    predecessors: logs === "bounded" ? await Promise.all(further.map(openLog)) : [],
  };
}

const LACK_OF_ROOM: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS"]);

function isLackOfRoom(error: unknown): boolean {
  return error instanceof Error && "code" in error && LACK_OF_ROOM.has(error.code);
}

/** Nothing but these: what this process was itself started with is closed to the child. */
function descriptorsOf(
  plan: ProcessPlan,
  { output, errors, predecessors }: OpenLogs,
): StdioOptions {
  const closed = closedDescriptors();
  const given = [
    "ignore",
    output?.fd ?? "ignore",
    errors?.fd ?? "ignore",
    plan.pipe === "none" ? "ignore" : "pipe",
    ...predecessors.map((opened, index) => opened?.fd ?? closed[4 + index] ?? "ignore"),
  ] as const;
  return [...given, ...closed.slice(given.length)];
}

function connectPipe(child: ChildProcess, { receive }: ProcessPlan): Duplex {
  const pipe = child.stdio[3] as Duplex;
  pipe.on("error", () => pipe.destroy()); // the process ended; its exit is reported by itself
  readJsonLines(pipe, (message) => receive?.(message));
  return pipe;
}
