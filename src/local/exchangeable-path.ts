/**
 * Whether other users of the machine could put something else in the place of a path, between a look at it and its use, as
 * git asks of repositories (CVE-2022-24765) and sshd of home directories (`StrictModes`).
 */
import type { Stats } from "node:fs";
import { lstat, readlink, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isOwnGroup } from "./own-group.ts";

/** As many as Linux follows. */
const MAX_LINKS = 40;
const STICKY = 0o1000;
const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;

/**
 * Looks at each folder and each link on the way, and at what is at its end. What is not there yet counts as good, and so do
 * folders around this program: whoever can exchange those can exchange the program, as in a build that runs as root in a
 * folder of another user, or in one that everybody may write.
 *
 * @param program folder of this program; constant but for tests
 * @returns which part others could exchange, and why, as a sentence; undefined where there is none, and on systems without
 *   numbered users
 */
export async function exchangeablePart(
  path: string,
  program: string = import.meta.dirname,
): Promise<string | undefined> {
  const user = process.getuid?.();
  if (user === undefined) return undefined;
  const trusted = `${await realpath(program)}/`;
  const left = ["/", ...partsOf(resolve(path))];
  let at = "/";
  let links = 0;
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    const entry = part === "/" ? part : join(at, part);
    const found = await lookAt(entry);
    if (found === "absent") return undefined;
    const isAround = entry === "/" || trusted.startsWith(`${entry}/`);
    const problem = isAround ? undefined : await problemOf(entry, found, user);
    if (problem !== undefined) return problem;
    if (found === "closed" || !found.isSymbolicLink()) {
      at = entry;
      continue;
    }
    links++;
    if (links > MAX_LINKS) return `${entry} is a link that leads nowhere`;
    const to = await readlink(entry);
    left.unshift(...(to.startsWith("/") ? ["/"] : []), ...partsOf(to));
    at = dirname(entry);
  }
  return undefined;
}

/** `..` stays: what it leads to is told by the folder that is reached by then. */
function partsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

async function lookAt(path: string): Promise<Stats | "absent" | "closed"> {
  try {
    return await lstat(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return "absent";
    if (code === "EACCES") return "closed";
    throw cause;
  }
}

/** What lies in a sticky folder, as /tmp is one, only its owner exchanges. */
async function problemOf(
  entry: string,
  found: Stats | "closed",
  user: number,
): Promise<string | undefined> {
  if (found === "closed") return `${entry} cannot be looked at by this user`;
  const { uid, gid, mode } = found;
  if (uid !== user && uid !== 0) return `${entry} belongs to another user`;
  if (!found.isDirectory() || (mode & STICKY) !== 0) return undefined;
  if ((mode & OTHERS_WRITE) !== 0) return `${entry} can be written by every user`;
  if ((mode & GROUP_WRITES) === 0 || (await isOwnGroup(gid, user))) return undefined;
  return `${entry} can be written by users of group ${gid}`;
}
