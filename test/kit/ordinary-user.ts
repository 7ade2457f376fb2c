/** Runs `hauberk` as an ordinary user, also where the tests are root's: from the build, in a folder of that user's own. */
import { constants, statSync } from "node:fs";
import { chown, cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Of `nobody`: some user who is not root. */
const SOMEBODY = 65_534;
const BUILT = "dist/bin/main.js";
/** What the build does not hold itself. */
const BESIDE = ["package.json", "examples", "dist", "node_modules/koffi", "node_modules/@koromix"];

export interface OrdinaryUser {
  /** For files of the test: the user's own. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The program and its arguments before those of the command. */
  readonly hauberk: readonly [string, ...string[]];
  /** What to put before any other command. */
  readonly prefix: readonly string[];
  /** Makes a file or folder of the test the user's own. */
  own(path: string): Promise<void>;
  remove(): Promise<void>;
}

export async function ordinaryUser(): Promise<OrdinaryUser> {
  const isRoot = process.getuid?.() === 0;
  const folder = await mkdtemp(join(tmpdir(), "hauberk-user-"));
  const own = async (path: string): Promise<void> => {
    if (isRoot) await chown(path, SOMEBODY, SOMEBODY);
  };
  await own(folder);
  const prefix = isRoot
    ? ["setpriv", `--reuid=${SOMEBODY}`, `--regid=${SOMEBODY}`, "--clear-groups", "--"]
    : [];
  const program = isRoot && !isOpenToAll(resolve(BUILT)) ? await copyProgram(folder) : BUILT;
  const [first = "", ...rest] = [...prefix, process.execPath, resolve(program)];
  return {
    folder,
    prefix,
    own,
    hauberk: [first, ...rest],
    environment: { PATH: process.env["PATH"], LANG: "C.UTF-8", HOME: folder },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function copyProgram(folder: string): Promise<string> {
  const to = join(folder, "program");
  for (const path of BESIDE) await cp(path, join(to, path), { recursive: true });
  return join(to, BUILT);
}

/** Whether every folder above the file lets everybody through, and the file lets everybody read it. */
function isOpenToAll(file: string): boolean {
  const everybody = (path: string, bit: number): boolean => (statSync(path).mode & bit) !== 0;
  if (!everybody(file, constants.S_IROTH)) return false;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (!everybody(folder, constants.S_IXOTH)) return false;
    if (folder === dirname(folder)) return true;
  }
}
