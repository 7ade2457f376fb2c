/** A Go program built once for all runs, and again when its text or the compiler has changed. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

/**
 * @param source a program of one file
 * @returns a folder that holds the program, called as its file without `.go`, and nothing else
 * @throws Error when the compiler refuses it
 */
export async function buildGoProgram(source: string): Promise<string> {
  const name = basename(source, ".go");
  return build(resolve(source), { name, files: [source], modules: "off" });
}

/**
 * @param folder of a module, whose `go.sum` pins what it is made of; that is fetched from the module proxy
 * @returns a folder that holds the program, called as the folder, and nothing else
 * @throws Error when a module cannot be fetched, or the compiler refuses it
 */
export async function buildGoModule(
  folder: string,
  { linkerFlags }: { readonly linkerFlags?: string } = {},
): Promise<string> {
  const files = (await readdir(folder)).sort().map((file) => join(folder, file));
  const flags = linkerFlags === undefined ? [] : ["-ldflags", linkerFlags];
  return build(".", { name: basename(folder), files, modules: "on", folder, flags });
}

interface GoBuild {
  readonly name: string;
  /** All that the program is made of, but for modules that are pinned in them. */
  readonly files: readonly string[];
  readonly modules: "on" | "off";
  /** To be in; absent: wherever we are. */
  readonly folder?: string;
  /** For `go build`. */
  readonly flags?: readonly string[];
}

async function build(what: string, { name, files, flags = [], ...how }: GoBuild): Promise<string> {
  const digest = createHash("sha256").update(run(["version"], how));
  for (const flag of flags) digest.update(flag);
  for (const file of files) digest.update(basename(file)).update(await readFile(file));
  const owner = process.getuid?.() ?? 0;
  const cache = join(tmpdir(), `hauberk-go-${owner}-${digest.digest("hex").slice(0, 24)}`);
  if (await isOwnFolder(cache, owner)) return cache;
  const fresh = await mkdtemp(join(tmpdir(), "hauberk-go-"));
  try {
    run(["build", "-trimpath", ...flags, "-o", join(fresh, name), what], how);
    await chmod(fresh, 0o755);
    await rename(fresh, cache);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
  return cache;
}

/** Resolvers and all in pure Go, as its static programs are. */
function run(
  parameters: readonly string[],
  { modules, folder }: Pick<GoBuild, "modules" | "folder">,
): string {
  const { status, stdout, stderr, error } = spawnSync("go", parameters, {
    encoding: "utf8",
    ...(folder !== undefined && { cwd: folder }),
    env: { ...process.env, CGO_ENABLED: "0", GO111MODULE: modules, GOTOOLCHAIN: "local" },
  });
  if (status !== 0) throw new Error(`go ${parameters[0]}: ${error?.message ?? stderr}`);
  return stdout;
}

/** What somebody else put there is not run. */
async function isOwnFolder(path: string, owner: number): Promise<boolean> {
  try {
    const { uid, mode } = await stat(path);
    return uid === owner && (mode & 0o022) === 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
