/** Envoy as a process: started, looked after, told to drain, and ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { BOOTSTRAP_FILE } from "./agent-places.ts";
import type { EnvoyAdmin } from "./envoy-admin.ts";

/** Envoy did not start, or ended by itself. */
export class EnvoyEndedError extends HauberkError {
  readonly code = "HAUBERK_ENVOY_ENDED";
}

export interface EnvoyProcessOptions {
  /** Path of the program. */
  readonly program: string;
  /** Its working directory: the agent's folder, with the bootstrap. */
  readonly folder: string;
  /** Threads; 0: one for each core. */
  readonly concurrency: number;
  readonly admin: Pick<EnvoyAdmin, "ask" | "isReady" | "underWay">;
  /** Takes lines of its standard output: access logs that users configure. */
  readonly output: (line: string) => void;
  readonly log: Log;
}

/** Of a pod that is stopped: connections that carry nothing are closed at once; what is under way may end within this long. */
export const DRAIN_SECONDS = 5;
/** What a change of policies or trust has revoked is cut within five seconds, the way of the change to Envoy included. */
const REVOKED_SECONDS = 4;
const FLUSH_MS = 100;
const READY_TIMEOUT_MS = 18_000;
const LOOK_EVERY_MS = 25;
/** Between the end of all that was under way and the end of the process. */
const EXIT_MS = 1_000;

export class EnvoyProcess {
  readonly #options: EnvoyProcessOptions;
  readonly #child: ChildProcess;
  /** Rejects once it has ended, whether or not it was asked to. */
  readonly ended: Promise<never>;
  /** What it said last before it ended. */
  #lastWords = "";
  #isEnding = false;

  private constructor(child: ChildProcess, options: EnvoyProcessOptions) {
    this.#child = child;
    this.#options = options;
    this.ended = new Promise((_, reject) => {
      child.once("exit", (code, signal) => reject(this.#endedBy(signal ?? `code ${code}`)));
      child.once("error", (error) => reject(notStarted(options.program, error)));
    });
    this.ended.catch(() => undefined); // whoever waits for it hears of it
    const kill = (): void => void child.kill("SIGKILL"); // however the agent ends
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    followLines(child.stdout, options.output);
    followLines(child.stderr, (line) => this.#tell(line));
  }

  static start(options: EnvoyProcessOptions): EnvoyProcess {
    const { program, folder, concurrency } = options;
    const parameters = [
      "--config-path",
      BOOTSTRAP_FILE,
      "--disable-hot-restart",
      "--drain-time-s",
      `${REVOKED_SECONDS}`,
      "--drain-strategy",
      "immediate",
      // Of logs of calls: Envoy would keep them for ten seconds.
      "--file-flush-interval-msec",
      `${FLUSH_MS}`,
      "--log-level",
      "warning",
      // Of each field that Envoy itself calls work in progress it would tell, for each listener.
      "--component-log-level",
      "misc:error",
      "--log-format",
      "%l %n %v",
      ...(concurrency === 0 ? [] : ["--concurrency", `${concurrency}`]),
    ];
    const child = spawn(program, parameters, {
      cwd: folder,
      env: {},
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new EnvoyProcess(child, options);
  }

  get processId(): number | undefined {
    return this.#child.exitCode === null && this.#child.signalCode === null
      ? this.#child.pid
      : undefined;
  }

  /**
   * Resolves once it serves.
   *
   * @throws EnvoyEndedError when it ends before, or takes too long
   */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    const late = `Envoy was told too little to serve within ${READY_TIMEOUT_MS / 1_000} s`;
    for (;;) {
      if (await Promise.race([this.#options.admin.isReady(), this.ended])) return;
      if (performance.now() >= deadline) throw new EnvoyEndedError(this.#withLastWords(late));
      await Promise.race([delay(LOOK_EVERY_MS), this.ended]);
    }
  }

  /** No further connections; what is under way may end, and is cut after `DRAIN_SECONDS`. */
  async drain(): Promise<void> {
    const { admin, log } = this.#options;
    const deadline = performance.now() + DRAIN_SECONDS * 1_000;
    try {
      await admin.ask({ method: "POST", path: "/healthcheck/fail" });
      await admin.ask({ method: "POST", path: "/drain_listeners?graceful&skip_exit" });
      while (performance.now() < deadline && (await admin.underWay()) > 0)
        await Promise.race([delay(LOOK_EVERY_MS), this.ended]);
    } catch (error) {
      log.warn("Envoy did not drain", { problem: describeError(error) });
    }
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    if (this.processId === undefined) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), EXIT_MS);
    await gone;
    clearTimeout(late);
  }

  #tell(line: string): void {
    this.#lastWords = line;
    const [level = "", name = "", ...words] = line.split(" ");
    const message = words.join(" ");
    const { log } = this.#options;
    if (level === "error" || level === "critical") log.error(`envoy: ${message}`, { part: name });
    else if (level === "warning") log.warn(`envoy: ${message}`, { part: name });
    else log.info(`envoy: ${line}`);
  }

  #endedBy(how: string): EnvoyEndedError {
    return new EnvoyEndedError(
      this.#isEnding ? "Envoy was ended" : this.#withLastWords(`Envoy ended with ${how}`),
    );
  }

  #withLastWords(text: string): string {
    return this.#lastWords === "" ? text : `${text}; it said last: ${this.#lastWords}`;
  }
}

function notStarted(program: string, error: Error): EnvoyEndedError {
  const isClosed = "code" in error && error.code === "EACCES";
  const why = isClosed
    ? `the sidecar's user (uid ${process.getuid?.() ?? "unknown"}) may not run it: put it where every user may read it`
    : describeError(error);
  return new EnvoyEndedError(`${program} cannot be started: ${why}`);
}

function followLines(stream: Readable | null, take: (line: string) => void): void {
  if (stream === null) return;
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", take);
}
