/** Writes a file so that whoever watches it never reads half of it. */
import { rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.new`);
  await writeFile(draft, text);
  await rename(draft, path);
}
