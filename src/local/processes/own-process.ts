/** Our own processes beside the applications: this same program, started with another command and instructed by pipe. */
import { CONTROL_PLANE_FLAG_NAMES } from "../../control/control-plane-flags.ts";
import { createDeferred, type Deferred } from "../../runtime/deferred.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import type { MeshProcess, ProcessPlan } from "./mesh-process.ts";

const START_TIMEOUT_MS = 20_000;
/** Of the user's shell they need little, and nothing secret. */
const INHERITED = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", ...CONTROL_PLANE_FLAG_NAMES];

/** A part of the mesh did not come up, or a mesh already runs in the data directory. */
export class MeshStartError extends HauberkError {
  readonly code = "HAUBERK_MESH_START";
}

export interface OwnProcess {
  readonly title: string;
  /** How to start this program: the interpreter, its flags and the entry file. */
  readonly hauberkCommand: readonly [string, ...string[]];
  readonly command: string;
  /** Of the command; nothing secret. */
  readonly parameters?: readonly string[];
  readonly logDirectory: string;
  readonly output: string;
  readonly errors: string;
  readonly accessLog?: string;
  readonly graceMs?: number;
  readonly receive: (message: unknown) => void;
}

export function ownProcessPlan(what: OwnProcess): ProcessPlan {
  const { hauberkCommand, command, parameters = [], ...rest } = what;
  return {
    ...rest,
    command: [...hauberkCommand, command, ...parameters],
    environment: ownEnvironment(),
    workingDirectory: process.cwd(),
    logs: "bounded",
    pipe: "json-lines",
  };
}

/** Little of the user's shell, and nothing secret. */
export function ownEnvironment(): Record<string, string> {
  const known = INHERITED.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(
    known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** What a process says instead of "ready" when it cannot start. */
type FailedReport = { readonly type: "failed"; readonly problem: string };

/**
 * Waits for the first report of a process.
 *
 * @param log where people can look for the reason
 * @throws MeshStartError when the process reports that it failed, ends before it reports, or takes too long
 */
export async function firstReport<Report extends { readonly type: string }>(
  started: MeshProcess,
  { answer, log }: { readonly answer: Promise<Report>; readonly log: string },
): Promise<Report> {
  const report = await firstAnswer(started, { answer, log });
  if (isFailed(report)) throw new MeshStartError(`${started.title}: ${report.problem}`);
  return report;
}

function isFailed(report: { readonly type: string }): report is FailedReport {
  return report.type === "failed";
}

async function firstAnswer<T>(
  started: MeshProcess,
  { answer, log }: { readonly answer: Promise<T>; readonly log: string },
): Promise<T> {
  const failure: Deferred<never> = createDeferred();
  const fail = (what: string): void =>
    failure.reject(new MeshStartError(`${started.title} ${what}; see ${log}`));
  const timer = setTimeout(
    () => fail(`was not ready after ${START_TIMEOUT_MS / 1000} s`),
    START_TIMEOUT_MS,
  );
  void started.exit.then(({ code, signal }) => fail(`ended with ${signal ?? `code ${code}`}`));
  try {
    return await Promise.race([answer, failure.promise]);
  } finally {
    clearTimeout(timer);
  }
}
