/**
 * Whether a group is nobody's but one user's. Many systems give each user such a group, and let it write whatever the user
 * makes (umask 002): that opens nothing to anybody. Source: passwd(5), group(5).
 */
import { readFile } from "node:fs/promises";

const ROOT = 0;

/** What is told elsewhere than in these files (LDAP) counts for no user's own. */
export async function isOwnGroup(group: number, user: number): Promise<boolean> {
  const [accounts, groups] = await Promise.all([linesOf("/etc/passwd"), linesOf("/etc/group")]);
  return holdsNobodyElse(group, { user, accounts, groups });
}

/**
 * @param accounts lines of passwd, taken apart
 * @param groups lines of group, taken apart
 * @returns whether it is the first group of the user or of root, and has no other users
 */
export function holdsNobodyElse(
  group: number,
  {
    user,
    accounts,
    groups,
  }: {
    readonly user: number;
    readonly accounts: readonly (readonly string[])[];
    readonly groups: readonly (readonly string[])[];
  },
): boolean {
  const isTrusted = (uid: string | undefined): boolean =>
    [user, ROOT].map(String).includes(uid ?? "");
  const first = accounts.filter(([, , , gid]) => gid === String(group));
  const names = accounts.filter(([, , uid]) => isTrusted(uid)).map(([name]) => name);
  const members = groups
    .filter(([, , gid]) => gid === String(group))
    .flatMap(([, , , list = ""]) => list.split(",").filter((name) => name !== ""));
  return (
    first.length > 0 &&
    first.every(([, , uid]) => isTrusted(uid)) &&
    members.every((name) => names.includes(name))
  );
}

async function linesOf(file: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").map((line) => line.split(":"));
}
