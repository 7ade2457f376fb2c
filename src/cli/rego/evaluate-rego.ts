/**
 * Asks Open Policy Agent when a policy holds, whatever the request is: partial evaluation, by the user's own `opa`. Never a
 * program that the manifests name, and without the network, the clock, or the user's environment.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Conjunction } from "../../policy/rego/pointless-conditions.ts";
import type { RegoAuthorizer, RegoFile } from "../../policy/rego/rego-authorizers.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";

/** There is no `opa`, or it said something that nobody here understands. */
export class RegoNotEvaluatedError extends HauberkError {
  readonly code = "HAUBERK_REGO_NOT_EVALUATED";
}

export type RegoEvaluation =
  | { readonly outcome: "refused"; readonly errors: readonly RegoError[] }
  | {
      readonly outcome: "evaluated";
      /** It holds when all conditions of one of them are met; an empty one is always met. Each condition as Rego. */
      readonly conjunctions: readonly Conjunction[];
    };

export interface RegoError {
  readonly message: string;
  /** Which of the files, from 0; undefined when it is none of them. */
  readonly file: number | undefined;
  /** From 1. */
  readonly line: number;
}

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 16_777_216;

/** @throws RegoNotEvaluatedError */
export async function evaluateRego(
  {
    files,
    decision,
    dialect,
  }: Pick<RegoAuthorizer, "decision" | "dialect"> & {
    readonly files: readonly Pick<RegoFile, "name" | "text">[];
  },
  opa: string,
): Promise<RegoEvaluation> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-rego-"));
  try {
    const folders = files.map((_, index) => `file-${index}`);
    for (const [index, { name, text }] of files.entries()) {
      await mkdir(join(folder, `file-${index}`));
      await writeFile(join(folder, `file-${index}`, basename(name)), text);
    }
    const ask = (format: string, query: string): Promise<OpaAnswer> =>
      runOpa(opa, {
        folder,
        parameters: [
          ...["eval", "--partial", "--unknowns", "input", "--timeout", "8s", "--format", format],
          ...(dialect === "v0" ? ["--v0-compatible"] : []),
          ...folders.flatMap((one) => ["--data", one]),
          query,
        ],
      });
    let errors: readonly RegoError[] = [];
    for (const query of [`${decision} == true`, `${decision}.allowed == true`]) {
      const { printed, outcome } = await ask("source", query);
      if (outcome === "good")
        return { outcome: "evaluated", conjunctions: conjunctionsIn(printed) };
      errors = errorsIn((await ask("json", query)).printed);
      // Of the query alone: the decision is an object, and not a word.
      if (errors.some(({ file }) => file !== undefined)) break;
    }
    return { outcome: "refused", errors };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface OpaAnswer {
  readonly printed: string;
  readonly outcome: "good" | "bad";
}

/** What OPA finds wrong it prints, and fails. */
function runOpa(
  opa: string,
  { folder, parameters }: { readonly folder: string; readonly parameters: readonly string[] },
): Promise<OpaAnswer> {
  const options = {
    cwd: folder,
    env: { HOME: folder, LC_ALL: "C" },
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
    maxBuffer: MAX_OUTPUT_BYTES,
  } as const;
  return new Promise((resolve, reject) => {
    execFile(opa, parameters, options, (error, printed) => {
      if (error === null) return resolve({ printed, outcome: "good" });
      if (typeof error.code === "number") return resolve({ printed, outcome: "bad" });
      reject(new RegoNotEvaluatedError(`${opa} eval: ${error.message.split("\n")[0]}`));
    });
  });
}

/** A condition is a line, with whatever is indented below it. */
function conjunctionsIn(source: string): readonly Conjunction[] {
  const [queries = ""] = source.split(/^# Module \d+$/m);
  return queries
    .split(/^# Query \d+$/m)
    .slice(1)
    .map((query) =>
      query
        .trim()
        .split(/\n(?![\s\])}])/)
        .filter((condition) => condition !== ""),
    );
}

/** @throws RegoNotEvaluatedError when none is told */
function errorsIn(json: string): readonly RegoError[] {
  const { errors } = parse(json);
  if (!Array.isArray(errors))
    throw new RegoNotEvaluatedError("opa eval fails and does not say why");
  return errors.map(errorOf);
}

function errorOf(error: unknown): RegoError {
  const { message, location } = section(error);
  const { file, row } = section(location);
  return {
    message: typeof message === "string" ? message : "no reason is given",
    file: typeof file === "string" ? indexIn(file) : undefined,
    line: typeof row === "number" ? row : 1,
  };
}

function indexIn(path: string): number | undefined {
  const [, index] = /^file-(\d+)\//.exec(path) ?? [];
  return index === undefined ? undefined : Number(index);
}

function parse(json: string): Readonly<Record<string, unknown>> {
  try {
    return section(JSON.parse(json));
  } catch (cause) {
    throw new RegoNotEvaluatedError("opa eval: no JSON", { cause });
  }
}

function section(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
