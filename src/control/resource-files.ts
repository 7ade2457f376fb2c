/** Reads the files a user names into resources, all of them at once, and reports what is wrong with any. */
import { createReadStream, type Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ParsedResources } from "../api/parse-resources.ts";
import type { Issue } from "../api/resource.ts";
import { boundedBytes } from "../runtime/bounded-bytes.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { readRegularFile } from "../runtime/regular-file.ts";
import { decodeText } from "./decode-text.ts";
import { TextReader, type WrittenText } from "./written-texts.ts";

const RESOURCE_FILE = /\.(ya?ml|json)$/;
const MAX_FILES = 10_000;
/** Of one file, far above any mesh that one machine runs: what has no end must not fill the memory. */
const MAX_FILE_BYTES = 67_108_864;

export interface FileReadingOptions {
  /**
   * "read": whoever asks once may name one, as in `-f <(helm template CHART)`; in a folder there are regular files alone.
   * Absent: "refused", since a pipe would hold up whoever goes on after it.
   */
  readonly namedPipes?: "read" | "refused";
}

/** What files hold, and which could not be read. */
export interface ReadTexts {
  readonly texts: readonly WrittenText[];
  readonly issues: readonly Issue[];
}

/**
 * Reads files, and the YAML and JSON files directly inside folders (as `kubectl apply -f` does), in name order, into what
 * they say. A path that cannot be read, a resource written twice and a second mesh configuration are issues too.
 */
export async function readResourceFiles(
  paths: readonly string[],
  options: FileReadingOptions = {},
): Promise<ParsedResources> {
  const { texts, issues } = await readTexts(paths, options);
  const parsed = new TextReader().read(texts);
  return { ...parsed, issues: [...issues, ...parsed.issues] };
}

/** As `readResourceFiles`, without asking what the texts say. */
export async function readTexts(
  paths: readonly string[],
  { namedPipes = "refused" }: FileReadingOptions = {},
): Promise<ReadTexts> {
  const issues: Issue[] = [];
  const texts: WrittenText[] = [];
  for (const file of await listFiles(paths, issues)) {
    try {
      const mayBePipe = namedPipes === "read" && paths.includes(file);
      const text = await readResourceText(file, { pipe: mayBePipe ? "read" : "refused" });
      if (typeof text === "object") issues.push(text);
      else if (text.trim() !== "") texts.push({ file, text });
      else throw new Error("it is empty; remove it, or finish writing it");
    } catch (error) {
      issues.push(unreadable(file, error));
    }
  }
  return { texts, issues };
}

async function listFiles(paths: readonly string[], issues: Issue[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      files.push(...(await filesAt(path)));
    } catch (error) {
      issues.push(unreadable(path, error));
    }
  }
  if (files.length > MAX_FILES) {
    issues.push({
      source: { file: files[MAX_FILES] ?? "", line: 0 },
      path: "",
      problem: `is one file too many; at most ${MAX_FILES} are read`,
    });
    files.length = MAX_FILES;
  }
  return [...new Set(files)];
}

/**
 * @returns the text, or what in the file is none
 * @throws NotReadableFileError, and errors of the file system
 */
export async function readResourceText(
  file: string,
  { pipe }: { readonly pipe: "read" | "refused" },
): Promise<string | Issue> {
  if (pipe === "read") return readResourceInput(file, createReadStream(file));
  const { bytes } = await readRegularFile(file, { maxBytes: MAX_FILE_BYTES, links: "followed" });
  return decodeText(file, bytes);
}

/**
 * @param name as it shall appear in the issue
 * @throws NotReadableFileError, and errors of the input
 */
export async function readResourceInput(
  name: string,
  input: AsyncIterable<Uint8Array>,
): Promise<string | Issue> {
  return decodeText(name, await boundedBytes(input, MAX_FILE_BYTES));
}

/**
 * The file itself, or the YAML and JSON files directly inside a folder, in name order.
 *
 * @throws Error of the file system
 */
export async function filesAt(path: string): Promise<string[]> {
  if (!(await found(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter(isResourceFile);
  if (names.length === 0) throw new Error("the folder has no YAML or JSON file");
  return names.sort().map((name) => join(path, name));
}

async function found(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw isMissing ? new Error("there is no such file or folder") : error;
  }
}

/** Whether a file of this name inside a folder is read. */
export function isResourceFile(name: string): boolean {
  return RESOURCE_FILE.test(name) && !name.startsWith(".");
}

function unreadable(file: string, error: unknown): Issue {
  return {
    source: { file, line: 0 },
    path: "",
    problem: `cannot be read: ${describeError(error)}`,
  };
}
