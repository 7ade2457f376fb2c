/** Reads the files a user names into resources, all of them at once, and reports what is wrong with any. */
import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { joinMeshConfigs } from "../api/join-mesh-configs.ts";
import type { ParsedResources } from "../api/parse-resources.ts";
import { parseResources } from "../api/parse-resources.ts";
import type { Issue, Notice, Resource } from "../api/resource.ts";
import { formatLocation, formatRef } from "../api/resource.ts";
import { deployedGateways } from "../policy/deployed-gateways.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { readRegularFile } from "../runtime/regular-file.ts";

const RESOURCE_FILE = /\.(ya?ml|json)$/;
const MAX_FILES = 10_000;
/** Of one file, far above any mesh that one machine runs: what has no end must not fill the memory. */
const MAX_FILE_BYTES = 67_108_864;

/**
 * Reads files, and the YAML and JSON files directly inside folders (as `kubectl apply -f` does), in name order.
 *
 * A path that cannot be read, a resource written twice and a second mesh configuration are issues too.
 *
 * @param options.readText absent: regular files alone, since a pipe would hold up whoever goes on after it
 */
export async function readResourceFiles(
  paths: readonly string[],
  { readText = readResourceFile }: { readonly readText?: (file: string) => Promise<string> } = {},
): Promise<ParsedResources> {
  const issues: Issue[] = [];
  const notices: Notice[] = [];
  const resources: Resource[] = [];
  for (const file of await listFiles(paths, issues)) {
    try {
      const text = await readText(file);
      if (text.trim() === "") throw new Error("it is empty; remove it, or finish writing it");
      const parsed = parseResources(text, file);
      resources.push(...parsed.resources);
      issues.push(...parsed.issues);
      notices.push(...parsed.notices);
    } catch (error) {
      issues.push(unreadable(file, error));
    }
  }
  issues.push(...duplicateIssues(resources));
  resources.push(...deployedGateways(resources));
  return { resources: joinMeshConfigs(resources), issues, notices };
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
      source: { file: files[MAX_FILES] ?? "", line: 1 },
      path: "",
      problem: `is one file too many; at most ${MAX_FILES} are read`,
    });
    files.length = MAX_FILES;
  }
  return [...new Set(files)];
}

/** @throws NotReadableFileError, and errors of the file system */
export async function readResourceFile(file: string): Promise<string> {
  const { bytes } = await readRegularFile(file, { maxBytes: MAX_FILE_BYTES, links: "followed" });
  return bytes.toString("utf8");
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
    source: { file, line: 1 },
    path: "",
    problem: `cannot be read: ${describeError(error)}`,
  };
}

/** Each resource that has been given before, by kind, namespace and name. */
export function duplicateIssues(resources: readonly Resource[]): Issue[] {
  const first = new Map<string, Resource>();
  const issues: Issue[] = [];
  for (const resource of resources) {
    const keys = keysOf(resource);
    const taken = keys.find((key) => first.has(key));
    const earlier = taken === undefined ? undefined : first.get(taken);
    if (earlier === undefined) for (const key of keys) first.set(key, resource);
    else
      issues.push({
        source: resource.meta.source,
        path: "metadata.name",
        problem: `${taken} is already defined at ${formatLocation(earlier.meta.source)}; expected each resource once`,
      });
  }
  return issues;
}

/** Our own section of the mesh configuration may have a document of its own. */
function keysOf(resource: Resource): readonly string[] {
  const { kind, meta } = resource;
  if (kind !== "MeshConfig") return [formatRef({ kind, ...meta })];
  const { ownSection } = resource;
  return [
    ...(ownSection === "alone" ? [] : [kind]),
    ...(ownSection === "absent" ? [] : [`hauberk of ${kind}`]),
  ];
}
