/**
 * A directory of key material that a person can read and a crash cannot tear: it appears complete or not at all, and
 * keys are for their owner alone.
 */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { mkdir, mkdtemp, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory } from "../runtime/atomic-file.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import {
  NotReadableFileError,
  type RegularFile,
  readRegularFile,
} from "../runtime/regular-file.ts";

const DIRECTORY_MODE = 0o700;
const OTHERS = 0o077;
/** No key or certificate file is longer. */
export const MAX_FILE_BYTES = 2_097_152;
/** Follows a folder's name while it is being filled. */
const DRAFT = ".new-";

/** A folder of keys is incomplete, unreadable, or open to other users. */
export class KeyDirectoryError extends HauberkError {
  readonly code = "HAUBERK_KEY_DIRECTORY";
}

export interface KeyDirectoryFile {
  /** May name a folder of its own: `keys/one.pem`. */
  readonly name: string;
  readonly text: string;
  readonly mode: 0o600 | 0o644;
}

/**
 * Creates `directory` with all its files in one step. When it exists already, or another process creates it meanwhile,
 * nothing is changed.
 */
export async function createKeyDirectory(
  directory: string,
  files: readonly KeyDirectoryFile[],
): Promise<void> {
  const parent = dirname(directory);
  await createFolders(parent);
  const draft = await mkdtemp(`${directory}${DRAFT}`);
  try {
    await fillDirectory(draft, files);
    await rename(draft, directory);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Whoever was first may have cleared our draft away.
    if ((await listFiles(directory)).length === 0) throw error;
  }
  await syncDirectory(parent);
}

/**
 * Says whether all of `names` are in `directory`.
 *
 * @returns "absent" when there is no directory, or an empty one
 * @throws KeyDirectoryError when only some are there (CA-44): a lost key is never replaced silently
 */
export async function inspectKeyDirectory(
  directory: string,
  names: readonly string[],
): Promise<"complete" | "absent"> {
  const present = new Set(await listFiles(directory));
  const missing = names.filter((name) => !present.has(name));
  if (missing.length === 0) return "complete";
  if (present.size === 0) return "absent";
  throw new KeyDirectoryError(`${directory} is incomplete: ${missing.join(", ")} is missing`);
}

/** Whether a name is that of a folder which `createKeyDirectory` was filling, as a crash leaves it. */
export function isDraftOf(name: string, directoryName: string): boolean {
  return name.startsWith(`${directoryName}${DRAFT}`);
}

/** Deletes a folder of keys: those named first, so that a crash leaves none of them. */
export async function removeKeyDirectory(
  directory: string,
  keyNames: readonly string[],
): Promise<void> {
  for (const name of keyNames) await rm(join(directory, name), { force: true });
  await rm(directory, { recursive: true, force: true });
  await syncDirectory(dirname(directory));
}

/** @returns nothing when there is no such directory */
export async function listFiles(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** @throws KeyDirectoryError if the file cannot be opened, is none, or is too long */
export async function readTextFile(path: string): Promise<string> {
  return (await readOwnFile(path, { maxBytes: MAX_FILE_BYTES })).bytes.toString("utf8");
}

/** @throws KeyDirectoryError if others than the owner may touch the file, or it holds no private key */
export async function readPrivateKeyFile(path: string): Promise<KeyObject> {
  const { mode, bytes } = await readOwnFile(path, { maxBytes: MAX_FILE_BYTES });
  if ((mode & OTHERS) !== 0) {
    const shown = (mode & 0o777).toString(8).padStart(4, "0");
    throw new KeyDirectoryError(`${path} has mode ${shown}; a private key needs 0600`);
  }
  return parsePrivateKey(bytes.toString("utf8"), path);
}

/** Of our own folders: nobody has reason to put a link there, or anything but a file. */
export async function readOwnFile(
  path: string,
  { maxBytes }: { readonly maxBytes: number },
): Promise<RegularFile> {
  try {
    return await readRegularFile(path, { maxBytes, links: "refused" });
  } catch (cause) {
    if (cause instanceof NotReadableFileError)
      throw new KeyDirectoryError(`${path} ${cause.message}`);
    throw new KeyDirectoryError(`${path} cannot be opened`, { cause });
  }
}

function parsePrivateKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new KeyDirectoryError(`${path} holds no private key that can be read`, { cause });
  }
}

async function createFolders(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
  if (first === undefined) return;
  for (let at = directory; at.length >= first.length; at = dirname(at))
    await syncDirectory(dirname(at));
}

async function fillDirectory(directory: string, files: readonly KeyDirectoryFile[]): Promise<void> {
  const folders = new Set<string>();
  for (const file of files) {
    const path = join(directory, file.name);
    await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    await writeSynced(path, file);
    for (let at = dirname(path); at !== directory; at = dirname(at)) folders.add(at);
  }
  for (const folder of [...folders, directory]) await syncDirectory(folder);
}

async function writeSynced(path: string, { text, mode }: KeyDirectoryFile): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
