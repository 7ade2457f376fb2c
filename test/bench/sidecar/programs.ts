/**
 * The programs of others that are measured beside ours, and those that make the load. What is not installed is fetched by
 * package name, without root, into `.cache/bench`, by the hash of its content.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join, resolve } from "node:path";
import { findOrFetchEnvoy } from "../../kit/envoy-program.ts";

const CACHE = resolve(".cache", "bench");
/** Of the content, in the name of a folder. */
const HASH_END = /-[0-9a-f]{16}$/;
/** Where libraries lie in a Debian package. */
const LIBRARIES = /^(?:usr\/)?lib\/[^/]+-linux-gnu$/;

export interface Program {
  readonly path: string;
  readonly version: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface DebianProgram {
  readonly name: string;
  readonly file: string;
  readonly versionFlag: string;
  /** Packages of libraries that a small system lacks. */
  readonly libraries: readonly string[];
}

type DebianName = "wrk" | "nginx" | "haproxy";

const DEBIAN: Readonly<Record<DebianName, DebianProgram>> = {
  wrk: {
    name: "wrk",
    file: "usr/bin/wrk",
    versionFlag: "-v",
    libraries: ["libluajit-5.1-2", "libluajit-5.1-common"],
  },
  nginx: { name: "nginx", file: "usr/sbin/nginx", versionFlag: "-v", libraries: ["libpcre2-8-0"] },
  haproxy: {
    name: "haproxy",
    file: "usr/sbin/haproxy",
    versionFlag: "-v",
    libraries: ["liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1", "libpcre2-8-0"],
  },
};

/** @throws Error when it is neither installed nor can be fetched */
export function findProgram(name: DebianName): Program {
  const wanted = DEBIAN[name];
  const installed = versionOf(name, wanted.versionFlag, {});
  if (installed !== undefined) return { path: name, version: installed, environment: {} };
  const folders = [name, ...wanted.libraries].map(unpackDebian);
  const environment = { LD_LIBRARY_PATH: folders.flatMap(librariesIn).join(":") };
  const path = join(folders[0] ?? "", wanted.file);
  const version = versionOf(path, wanted.versionFlag, environment);
  if (version === undefined)
    throw new Error(`${path} does not run: ${complaint(path, environment)}`);
  return { path, version, environment };
}

/** @throws Error when there is none and none can be fetched */
export function envoyProgram(): Program {
  return { ...findOrFetchEnvoy(), environment: {} };
}

/** @returns the folder that holds what is in the package; what was fetched once is used again, whatever is newer */
function unpackDebian(name: string): string {
  mkdirSync(CACHE, { recursive: true });
  const held = readdirSync(CACHE).find((one) => one.replace(HASH_END, "") === name);
  return held === undefined ? fetchDebian(name) : join(CACHE, held);
}

function fetchDebian(name: string): string {
  const [, hash] =
    /SHA256:([0-9a-f]{64})/.exec(run("apt-get", "download", "--print-uris", name)) ?? [];
  if (hash === undefined) throw new Error(`apt-get knows no package ${name}`);
  const folder = join(CACHE, `${name}-${hash.slice(0, 16)}`);
  const draft = mkdtempSync(join(CACHE, "draft-"));
  runIn(draft, "apt-get", "download", "-qq", name);
  const file = readdirSync(draft).find((one) => one.endsWith(".deb")) ?? "";
  const got = createHash("sha256")
    .update(readFileSync(join(draft, file)))
    .digest("hex");
  if (got !== hash) throw new Error(`${name}: the package has another hash than its list says`);
  runIn(draft, "dpkg", "-x", file, ".");
  renameSync(draft, folder);
  return folder;
}

function librariesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => LIBRARIES.test(path))
    .map((path) => join(folder, path));
}

function versionOf(
  path: string,
  flag: string,
  environment: Readonly<Record<string, string>>,
): string | undefined {
  const env = { ...process.env, ...environment, PATH: `${process.env["PATH"]}:/usr/sbin` };
  const { stdout, stderr, error, status } = spawnSync(path, [flag], { encoding: "utf8", env });
  if (error !== undefined || status === 127) return undefined;
  return /\d+\.\d+(?:\.\d+)?/.exec(`${stdout}${stderr}`)?.[0];
}

function complaint(path: string, environment: Readonly<Record<string, string>>): string {
  const env = { ...process.env, ...environment };
  return spawnSync(path, ["-v"], { encoding: "utf8", env }).stderr ?? "it cannot be started";
}

function run(command: string, ...parameters: readonly string[]): string {
  return runIn(".", command, ...parameters);
}

function runIn(cwd: string, command: string, ...parameters: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, {
    cwd,
    encoding: "utf8",
  });
  if (status === 0) return stdout;
  throw new Error(`${command} ${parameters.join(" ")}: ${error?.message ?? stderr}`);
}
