/** Replaces a file whole: a reader sees the old text or the new one, and a crash leaves one of them. */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * When it returns, the new text is on the disk, and so is its name.
 *
 * @param mode permission bits, such as 0o600 for anything secret
 */
export async function replaceFile(
  path: string,
  text: string | Uint8Array,
  { mode }: { mode: number },
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes the names in a folder durable: after a crash it lists what it lists now. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
