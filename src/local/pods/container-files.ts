/**
 * The volumes of a container on a machine without containers: which files are to be where, and where the paths that
 * the manifest speaks of really are. A pod with a file system of its own sees them at those paths; for any other, the
 * paths are rewritten.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ConfigMap } from "../../api/config-map.ts";
import type { Container } from "../../api/container.ts";
import type { DataSource } from "../../api/data-source.ts";
import type { PodTemplate } from "../../api/pod-template.ts";
import type { ProjectedSource } from "../../api/projected-source.ts";
import { formatLocation, type Resource, type SourceLocation } from "../../api/resource.ts";
import type { Secret } from "../../api/secret.ts";
import type { Volume } from "../../api/volume.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import { ROOTS_KEY, ROOTS_NAME } from "../mesh-objects/projection/root-certificate-map.ts";
import type { PathRewrite } from "./rewrite-paths.ts";

/** A volume names a ConfigMap, Secret or key that is not there. */
export class MissingVolumeDataError extends HauberkError {
  readonly code = "HAUBERK_MISSING_VOLUME_DATA";
}

interface FilePlace {
  /** Absolute. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
}

export interface PlannedFile extends FilePlace {
  readonly content: Uint8Array;
}

/** A file that is made when it is written: a token, or what is known only then. */
export interface PlannedCredential extends FilePlace {
  readonly credential:
    | { readonly kind: "token"; readonly audience?: string; readonly lifetimeSeconds: number }
    | { readonly kind: "root-certificate" };
}

export interface ContainerFiles {
  readonly folders: readonly string[];
  readonly files: readonly PlannedFile[];
  readonly credentials: readonly PlannedCredential[];
  /** Longest path first. */
  readonly rewrites: readonly PathRewrite[];
}

/** Where Kubernetes puts a pod's own token. */
const SERVICE_ACCOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const SERVICE_ACCOUNT_FOLDER = "service-account";
const TOKEN_LIFETIME_SECONDS = 3_600;
const READABLE = 0o644;

export interface ContainerFilesOptions {
  readonly template: PodTemplate;
  readonly namespace: string;
  readonly resources: readonly Resource[];
  /** Absolute path of the pod's own folder. */
  readonly folder: string;
  /** Where a claimed volume is kept. */
  readonly claimFolder: (volume: string) => string;
  /** Whether the container finds a token of its service account where Kubernetes puts one. */
  readonly automountToken: "on" | "off";
}

/** @throws MissingVolumeDataError */
export function planContainerFiles(
  container: Container,
  options: ContainerFilesOptions,
): ContainerFiles {
  const { template, folder, claimFolder } = options;
  const used = template.volumes.filter(({ name }) =>
    container.volumeMounts.some((mount) => mount.name === name),
  );
  const rootOf = (volume: Volume): string => {
    if (volume.kind === "hostPath") return volume.path;
    return volume.kind === "claim"
      ? claimFolder(volume.name)
      : join(folder, "volumes", volume.name);
  };
  for (const volume of used) {
    if (volume.kind !== "hostPath" || existsSync(volume.path)) continue;
    throw new MissingVolumeDataError(
      `${formatLocation(volume.source)}: hostPath ${volume.path} is not there; create it, or use an emptyDir`,
    );
  }
  const contents = used.map((volume) => contentOf(volume, { ...options, root: rootOf(volume) }));
  const account = accountFiles(container, options);
  const rewrites = container.volumeMounts.flatMap(({ name, mountPath, subPath, readOnly }) => {
    const volume = used.find((one) => one.name === name);
    if (volume === undefined) return [];
    const root = rootOf(volume);
    return {
      from: mountPath.length > 1 ? mountPath.replace(/\/+$/, "") : mountPath,
      to: subPath === undefined ? root : join(root, subPath),
      root,
      origin: volume.kind === "hostPath" ? ("machine" as const) : ("pod" as const),
      access: readOnly || isGiven(volume) ? ("read-only" as const) : ("read-write" as const),
    };
  });
  return {
    folders: [
      ...used.filter(({ kind }) => kind !== "hostPath").map(rootOf),
      ...account.map(({ folder: own }) => own),
    ],
    files: [...contents, ...account].flatMap(({ files }) => files),
    credentials: [...contents, ...account].flatMap(({ credentials }) => credentials),
    rewrites: [...rewrites, ...account.map(({ rewrite }) => rewrite)].sort(
      (one, other) => other.from.length - one.from.length,
    ),
  };
}

/** What the mesh writes, the container only reads. */
function isGiven({ kind }: Volume): boolean {
  return kind === "configMap" || kind === "secret" || kind === "projected";
}

interface Content {
  readonly files: readonly PlannedFile[];
  readonly credentials: readonly PlannedCredential[];
}

function accountFiles(
  { volumeMounts }: Container,
  { automountToken, namespace, folder: podFolder }: ContainerFilesOptions,
): readonly (Content & { readonly folder: string; readonly rewrite: PathRewrite })[] {
  const isTaken = volumeMounts.some(({ mountPath }) => mountPath === SERVICE_ACCOUNT_PATH);
  if (automountToken === "off" || isTaken) return [];
  const folder = join(podFolder, SERVICE_ACCOUNT_FOLDER);
  const place = (name: string): FilePlace => ({ path: join(folder, name), mode: READABLE });
  const token = { kind: "token", lifetimeSeconds: TOKEN_LIFETIME_SECONDS } as const;
  return [
    {
      folder,
      files: [{ ...place("namespace"), content: Buffer.from(namespace) }],
      credentials: [
        { ...place("token"), credential: token },
        { ...place("ca.crt"), credential: { kind: "root-certificate" } },
      ],
      rewrite: {
        from: SERVICE_ACCOUNT_PATH,
        to: folder,
        access: "read-only",
        origin: "pod",
        root: folder,
      },
    },
  ];
}

interface VolumePlace {
  readonly namespace: string;
  readonly resources: readonly Resource[];
  readonly root: string;
}

function contentOf(volume: Volume, where: VolumePlace): Content {
  if (volume.kind === "configMap" || volume.kind === "secret") {
    return contentOfData(volume, { ...where, ...volume });
  }
  if (volume.kind !== "projected") return { files: [], credentials: [] };
  const all = volume.sources.map((source) => projectedContent(source, { ...where, ...volume }));
  return {
    files: all.flatMap(({ files }) => files),
    credentials: all.flatMap(({ credentials }) => credentials),
  };
}

interface DataPlace extends VolumePlace {
  readonly defaultMode: number;
  readonly source: SourceLocation;
}

function projectedContent(source: ProjectedSource, where: DataPlace): Content {
  if (source.kind !== "serviceAccountToken") {
    return contentOfData(source, where);
  }
  const { audience, expirationSeconds, path } = source;
  const credential = {
    kind: "token" as const,
    lifetimeSeconds: Math.min(expirationSeconds, TOKEN_LIFETIME_SECONDS),
    ...(audience === undefined ? {} : { audience }),
  };
  return {
    files: [],
    credentials: [{ path: join(where.root, path), mode: where.defaultMode, credential }],
  };
}

/** Of the mesh's own ConfigMap no resource tells, and what others write into it does not count. */
function contentOfData(data: DataSource, where: DataPlace): Content {
  if (data.kind !== "configMap" || data.resourceName !== ROOTS_NAME)
    return { files: filesOf(data, where), credentials: [] };
  const items = data.items.length > 0 ? data.items : [{ key: ROOTS_KEY, path: ROOTS_KEY }];
  const unknown = items.find(({ key }) => key !== ROOTS_KEY);
  if (unknown !== undefined && !data.optional)
    throw missing(data, { ...where, problem: `has no key ${unknown.key}` });
  return {
    files: [],
    credentials: items
      .filter(({ key }) => key === ROOTS_KEY)
      .map((item) => ({
        path: join(where.root, item.path),
        mode: "mode" in item ? (item.mode ?? where.defaultMode) : where.defaultMode,
        credential: { kind: "root-certificate" },
      })),
  };
}

function filesOf(data: DataSource, where: DataPlace): PlannedFile[] {
  const found = dataOf(data, where);
  if (found === undefined) return [];
  const items =
    data.items.length > 0 ? data.items : [...found.keys()].map((key) => ({ key, path: key }));
  return items.flatMap((item) => {
    const content = found.get(item.key);
    if (content === undefined && data.optional) return [];
    if (content === undefined) throw missing(data, { ...where, problem: `has no key ${item.key}` });
    const mode = "mode" in item ? (item.mode ?? where.defaultMode) : where.defaultMode;
    const secretMode = data.kind === "secret" ? mode & 0o700 : mode;
    return [{ path: join(where.root, item.path), content, mode: secretMode }];
  });
}

function dataOf(data: DataSource, where: DataPlace): ReadonlyMap<string, Uint8Array> | undefined {
  const { kind, resourceName: name, optional } = data;
  const found = findData(where.resources, { kind, namespace: where.namespace, name });
  if (found === undefined && !optional)
    throw missing(data, { ...where, problem: "is not defined" });
  return found;
}

function missing(
  { kind, resourceName }: DataSource,
  { source, problem }: Pick<DataPlace, "source"> & { readonly problem: string },
): Error {
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
