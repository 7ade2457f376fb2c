/**
 * A directory of key material that a person can read and a crash cannot tear: it appears complete or not at all, and
 * keys are for their owner alone.
 */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { type FileHandle, mkdir, mkdtemp, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HauberkError } from "../runtime/hauberk-error.ts";

const DIRECTORY_MODE = 0o700;
const OTHERS = 0o077;
/** No key or certificate file is longer. */
const MAX_FILE_BYTES = 1_048_576;

/** A folder of keys is incomplete, unreadable, or open to other users. */
export class KeyDirectoryError extends HauberkError {
  readonly code = "HAUBERK_KEY_DIRECTORY";
}

export interface KeyDirectoryFile {
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
  await mkdir(parent, { recursive: true, mode: DIRECTORY_MODE });
  const draft = await mkdtemp(`${directory}.new-`);
  try {
    for (const file of files) await writeSynced(join(draft, file.name), file);
    await syncDirectory(draft);
    await rename(draft, directory);
    await syncDirectory(parent);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!isAlreadyThere(error)) throw error;
  }
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

/** @throws KeyDirectoryError if the file cannot be opened, or is too long */
export async function readTextFile(path: string): Promise<string> {
  const file = await openToRead(path);
  try {
    const { size } = await file.stat();
    if (size > MAX_FILE_BYTES) throw new KeyDirectoryError(`${path} is too long`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** @throws KeyDirectoryError if others than the owner may touch the file, or it holds no private key */
export async function readPrivateKeyFile(path: string): Promise<KeyObject> {
  const file = await openToRead(path);
  try {
    const { mode, size } = await file.stat();
    if ((mode & OTHERS) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, "0");
      throw new KeyDirectoryError(`${path} has mode ${shown}; a private key needs 0600`);
    }
    if (size > MAX_FILE_BYTES) throw new KeyDirectoryError(`${path} is too long`);
    return parsePrivateKey(await file.readFile("utf8"), path);
  } finally {
    await file.close();
  }
}

async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (cause) {
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

async function listFiles(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
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

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function isAlreadyThere(error: unknown): boolean {
  return codeOf(error) === "ENOTEMPTY" || codeOf(error) === "EEXIST";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
