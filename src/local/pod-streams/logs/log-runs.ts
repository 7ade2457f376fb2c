/**
 * Where in a log each run of its program begins, and how far an application's log had grown when. Applications write
 * into their files themselves, and their lines have no times: looking on from outside is all there is.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../../runtime/clock.ts";
import type { DataDirectory } from "../../data-directory.ts";
import type { LocalMesh } from "../../local-mesh.ts";
import type { Pod } from "../../pods/pod.ts";
import { logFileOf } from "../../pods/pod-container.ts";
import type { SupervisedProcess } from "../../processes/supervised-process.ts";

/** How exact the times of an application's lines are. */
const LOOK_EVERY_MS = 1_000;
/** Of one log; beyond it, every second of the older ones is forgotten. */
const MAX_MARKS = 2_048;
/** Logs of pods that are gone are forgotten beyond it. */
const MAX_LOGS = 1_024;

/** Of an application, in bytes of its file; of our own programs, whose lines have times, in milliseconds since 1970. */
export interface LogRun {
  readonly start: number;
  /** Absent for the one that began last. */
  readonly end?: number;
}

/** Until `time` the file had grown to `size`. */
export interface GrowthMark {
  readonly time: number;
  readonly size: number;
}

interface KnownLog {
  process: SupervisedProcess;
  restarts: number;
  /** Of the run that began last. */
  start: number;
  /** Where that run ended, and the next will begin. */
  end: number | undefined;
  previous: LogRun | undefined;
  readonly marks: GrowthMark[];
}

export class LogRuns {
  readonly #mesh: LocalMesh;
  readonly #dataDirectory: DataDirectory;
  readonly #clock: Clock;
  readonly #logs: Map<string, KnownLog> = new Map();
  readonly #ends: (() => void)[] = [];

  constructor(mesh: LocalMesh, dataDirectory: DataDirectory, clock: Clock) {
    this.#mesh = mesh;
    this.#dataDirectory = dataDirectory;
    this.#clock = clock;
    const timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    this.#ends.push(
      () => clearInterval(timer),
      mesh.onChange(() => this.#look()),
    );
    this.#look();
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  /** @returns undefined where no such run is known */
  run(process: SupervisedProcess, which: "current" | "previous"): LogRun | undefined {
    const log = this.#logOf(process);
    if (log === undefined) return undefined;
    return which === "current" ? { start: log.start } : log.previous;
  }

  /** In the order of time. */
  marks(process: SupervisedProcess): readonly GrowthMark[] {
    return this.#logOf(process)?.marks ?? [];
  }

  #logOf(process: SupervisedProcess): KnownLog | undefined {
    return (["own", "application"] as const)
      .map((kind) => this.#logs.get(keyOf(kind, process)))
      .find((log) => log?.process === process);
  }

  #look(): void {
    const now = this.#clock.now().getTime();
    const { controlPlane } = this.#mesh;
    this.#follow("own", controlPlane, now);
    for (const pod of this.#mesh.pods) {
      if (pod.sidecar !== undefined) this.#follow("own", pod.sidecar, now);
      for (const [index, { process }] of pod.containers.entries()) {
        const size = this.#sizeOf(pod, index);
        const log = this.#follow("application", process, size);
        if (size !== (log.marks.at(-1)?.size ?? 0)) mark(log.marks, { time: now, size });
      }
    }
    for (const [key, { process }] of this.#logs) {
      if (this.#logs.size <= MAX_LOGS) break;
      if (!this.#isRunning(process)) this.#logs.delete(key);
    }
  }

  /** @param place where its log has come to */
  #follow(kind: LogKind, process: SupervisedProcess, place: number): KnownLog {
    const { restarts } = process;
    const key = keyOf(kind, process);
    const known = this.#logs.get(key);
    if (known === undefined) {
      const log = { process, restarts, start: 0, end: undefined, previous: undefined, marks: [] };
      this.#logs.set(key, log);
      return log;
    }
    if (known.process !== process) {
      // Another pod of that name: what was logged before is none of its log.
      const start = known.end ?? place;
      Object.assign(known, { process, restarts, start, end: undefined, previous: undefined });
    }
    if (known.restarts !== restarts) {
      const start = known.end ?? place;
      known.previous = { start: known.start, end: start };
      Object.assign(known, { restarts, start, end: undefined });
    }
    if (process.phase === "waiting") {
      known.end ??= place;
      known.previous = { start: known.start, end: known.end };
    }
    return known;
  }

  #sizeOf(pod: Pod, index: number): number {
    const container = pod.plan.containers[index];
    if (container === undefined) return 0;
    const path = join(this.#dataDirectory.logs(pod.plan.workload), logFileOf(container));
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  #isRunning(process: SupervisedProcess): boolean {
    const { controlPlane, pods } = this.#mesh;
    return process === controlPlane || pods.some(({ processes }) => processes.includes(process));
  }
}

type LogKind = "own" | "application";

/** The same for the next pod of that name. A container may be called as a sidecar's process is. */
function keyOf(kind: LogKind, { title }: SupervisedProcess): string {
  return `${kind} ${title}`;
}

function mark(marks: GrowthMark[], next: GrowthMark): void {
  if (next.size < (marks.at(-1)?.size ?? 0)) marks.length = 0; // it was emptied
  marks.push(next);
  if (marks.length <= MAX_MARKS) return;
  const older = marks.splice(0, MAX_MARKS / 2);
  marks.unshift(...older.filter((_, index) => index % 2 === 1));
}
