/** A Go program built once for all runs, and again when its text or the compiler has changed. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

/**
 * @param source a program of one file
 * @returns a folder that holds the program, called as its file without `.go`, and nothing else
 * @throws Error when the compiler refuses it
 */
export async function buildGoProgram(source: string): Promise<string> {
  const version = run(["version"]);
  const digest = createHash("sha256")
    .update(version)
    .update(await readFile(source));
  const owner = process.getuid?.() ?? 0;
  const cache = join(tmpdir(), `hauberk-go-${owner}-${digest.digest("hex").slice(0, 24)}`);
  if (await isOwnFolder(cache, owner)) return cache;
  const fresh = await mkdtemp(join(tmpdir(), "hauberk-go-"));
  try {
    const name = basename(source, ".go");
    run(["build", "-trimpath", "-o", join(fresh, name), resolve(source)]);
    await chmod(fresh, 0o755);
    await rename(fresh, cache);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
  return cache;
}

/** Resolvers and all in pure Go, as its static programs are. */
function run(parameters: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync("go", parameters, {
    encoding: "utf8",
    env: { ...process.env, CGO_ENABLED: "0", GO111MODULE: "off", GOTOOLCHAIN: "local" },
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
