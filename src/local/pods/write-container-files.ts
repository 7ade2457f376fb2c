/** Writes what was planned for a container; again, when what it is made of may have changed. */
import { randomUUID } from "node:crypto";
import { chmod, chown, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ContainerFiles, PlannedCredential, PlannedFile } from "./container-files.ts";

export interface FileWriter {
  /** Of what is written, where that is not ourselves. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** The text of a credential, made now. */
  readonly make: (credential: PlannedCredential["credential"]) => Promise<string>;
}

export async function writeContainerFiles(
  { folders, files, credentials }: ContainerFiles,
  writer: FileWriter,
): Promise<void> {
  for (const folder of folders) await makeFolder(folder, writer);
  for (const file of files) await writeOne(file, writer);
  for (const { path, mode, credential } of credentials) {
    await writeOne({ path, mode, content: Buffer.from(await writer.make(credential)) }, writer);
  }
}

async function writeOne({ path, content, mode }: PlannedFile, writer: FileWriter): Promise<void> {
  await makeFolder(dirname(path), writer);
  if (await holds(path, content)) return;
  const next = `${path}.${randomUUID()}`;
  await writeFile(next, content, { mode: 0o600 });
  await chmod(next, mode);
  if (writer.owner !== undefined) await chown(next, writer.owner.uid, writer.owner.gid);
  await rename(next, path);
}

async function makeFolder(folder: string, { owner }: FileWriter): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first !== undefined && owner !== undefined) await chown(folder, owner.uid, owner.gid);
}

/** A file that is the same already is left alone: programs watch it. */
async function holds(path: string, content: Uint8Array): Promise<boolean> {
  try {
    return Buffer.compare(await readFile(path), content) === 0;
  } catch {
    return false; // not there yet
  }
}
