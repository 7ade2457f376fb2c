/** Whether others than the user could bring the mesh an authority of theirs: what changes in its folder is adopted (CA-44). */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { exchangeablePart } from "./exchangeable-path.ts";

const OTHERS_WRITE = 0o002;

/**
 * @param folder of a custom authority
 * @returns what of it others could write or exchange, as a sentence; undefined where there is nothing
 * @throws errors of the file system
 */
export async function authorityFolderProblem(folder: string): Promise<string | undefined> {
  const around = await exchangeablePart(folder);
  if (around !== undefined) return around;
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const problem = await exchangeablePart(file);
    if (problem !== undefined) return problem;
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() && (found.mode & OTHERS_WRITE) !== 0)
      return `${file} can be written by every user`;
  }
  return undefined;
}
