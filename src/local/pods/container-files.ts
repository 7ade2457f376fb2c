/**
 * A container's volumes on a machine without containers: the files are written into the pod's own folder, and paths that
 * the manifest speaks of are rewritten to where the files really are.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ConfigMap } from "../../api/config-map.ts";
import type { Container } from "../../api/container.ts";
import type { PodTemplate } from "../../api/pod-template.ts";
import { formatLocation, type Resource } from "../../api/resource.ts";
import type { Secret } from "../../api/secret.ts";
import type { DataVolume, Volume } from "../../api/volume.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";

/** A volume names a ConfigMap, Secret or key that is not there. */
export class MissingVolumeDataError extends HauberkError {
  readonly code = "HAUBERK_MISSING_VOLUME_DATA";
}

export interface PlannedFile {
  /** Absolute. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

/** A path of the manifest, and what stands for it here. */
export interface PathRewrite {
  readonly from: string;
  readonly to: string;
}

export interface ContainerFiles {
  readonly folders: readonly string[];
  readonly files: readonly PlannedFile[];
  /** Longest path first. */
  readonly rewrites: readonly PathRewrite[];
}

/**
 * @param options.folder absolute path of the pod's own folder
 * @throws MissingVolumeDataError
 */
export function planContainerFiles(
  container: Container,
  options: {
    readonly template: PodTemplate;
    readonly namespace: string;
    readonly resources: readonly Resource[];
    readonly folder: string;
  },
): ContainerFiles {
  const { template, folder } = options;
  const used = template.volumes.filter(({ name }) =>
    container.volumeMounts.some((mount) => mount.name === name),
  );
  const rootOf = (name: string): string => join(folder, "volumes", name);
  const rewrites = container.volumeMounts.map(({ name, mountPath, subPath }) => ({
    from: mountPath.length > 1 ? mountPath.replace(/\/+$/, "") : mountPath,
    to: subPath === undefined ? rootOf(name) : join(rootOf(name), subPath),
  }));
  return {
    folders: used.map(({ name }) => rootOf(name)),
    files: used.flatMap((volume) => filesOf(volume, { ...options, root: rootOf(volume.name) })),
    rewrites: rewrites.sort((one, other) => other.from.length - one.from.length),
  };
}

function filesOf(
  volume: Volume,
  where: {
    readonly namespace: string;
    readonly resources: readonly Resource[];
    readonly root: string;
  },
): PlannedFile[] {
  if (volume.kind === "emptyDir") return [];
  const data = dataOf(volume, where);
  if (data === undefined) return [];
  const items =
    volume.items.length > 0 ? volume.items : [...data.keys()].map((key) => ({ key, path: key }));
  return items.flatMap((item) => {
    const content = data.get(item.key);
    if (content === undefined && volume.optional) return [];
    if (content === undefined) throw missing(volume, `has no key ${item.key}`);
    const mode = "mode" in item ? (item.mode ?? volume.defaultMode) : volume.defaultMode;
    const secretMode = volume.kind === "secret" ? mode & 0o700 : mode;
    return [{ path: join(where.root, item.path), content, mode: secretMode }];
  });
}

function dataOf(
  volume: DataVolume,
  { namespace, resources }: { readonly namespace: string; readonly resources: readonly Resource[] },
): ReadonlyMap<string, Uint8Array> | undefined {
  const found = findData(resources, { kind: volume.kind, namespace, name: volume.resourceName });
  if (found === undefined && !volume.optional) throw missing(volume, "is not defined");
  return found;
}

function missing({ kind, resourceName, source }: DataVolume, problem: string): Error {
  return new MissingVolumeDataError(
    `${formatLocation(source)}: ${kind} ${resourceName} ${problem}; define it, or mark the volume optional`,
  );
}

/** @returns every key of a ConfigMap or Secret with its bytes; undefined when there is none of that name */
export function findData(
  resources: readonly Resource[],
  wanted: {
    readonly kind: "configMap" | "secret";
    readonly namespace: string;
    readonly name: string;
  },
): ReadonlyMap<string, Uint8Array> | undefined {
  const kind = wanted.kind === "configMap" ? "ConfigMap" : "Secret";
  const found = resources.find(
    (resource): resource is ConfigMap | Secret =>
      resource.kind === kind &&
      resource.meta.namespace === wanted.namespace &&
      resource.meta.name === wanted.name,
  );
  if (found === undefined) return undefined;
  if (found.kind === "Secret") return found.data;
  const texts = [...found.data].map(([key, text]) => [key, Buffer.from(text, "utf8")] as const);
  return new Map([...texts, ...found.binaryData]);
}

export async function writeContainerFiles({ folders, files }: ContainerFiles): Promise<void> {
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const { path, content, mode } of files) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (await holds(path, content)) continue;
    const next = `${path}.${randomUUID()}`;
    await writeFile(next, content, { mode: 0o600 });
    await chmod(next, mode);
    await rename(next, path);
  }
}

/** A file that is the same already is left alone: programs watch it. */
async function holds(path: string, content: Uint8Array): Promise<boolean> {
  try {
    return Buffer.compare(await readFile(path), content) === 0;
  } catch {
    return false; // not there yet
  }
}

/** What may stand before and after a path in an argument or a variable. */
const BEFORE = /[\s=:,;"'([{]/;
const AFTER = /[\s:,;"')\]}/]/;

/** Replaces mount paths, and paths below them, wherever `text` names them. */
export function rewritePaths(text: string, rewrites: readonly PathRewrite[]): string {
  let result = "";
  for (let at = 0; at < text.length; ) {
    const rewrite = startsPath(text, at)
      ? rewrites.find(({ from }) => text.startsWith(from, at) && endsPath(text, at + from.length))
      : undefined;
    result += rewrite?.to ?? text[at];
    at += rewrite?.from.length ?? 1;
  }
  return result;
}

function startsPath(text: string, at: number): boolean {
  return text[at] === "/" && (at === 0 || BEFORE.test(text[at - 1] ?? ""));
}

function endsPath(text: string, at: number): boolean {
  return at >= text.length || AFTER.test(text[at] ?? "");
}
