/**
 * What no container is shown besides the data directory of its own mesh, wherever it lies: keys of authorities, and the data
 * directories of other meshes. An ordinary user's containers have the user's number, so that the permissions of files keep
 * nothing from them.
 */
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { sharedDataDirectories } from "../api-server/access/shared-kubeconfig.ts";
import { hostFiles } from "./host-files.ts";
import { realPath } from "./real-path.ts";
import { AUTHORITY_LEDGER } from "./visible-folders.ts";

export interface SecretPlaces {
  /** Absolute paths: with all that is in them. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

export interface MeshSecrets {
  /** The mesh's own. */
  readonly dataDirectory: { readonly path: string };
  /** Folder of its custom authority, as it was named; absent where it has none. */
  readonly cacerts?: string | undefined;
  /** Of the shared kubeconfig, by which the user's other meshes are known. */
  readonly kubeconfigFolder: string;
}

/** Of a data directory; other names in it, such as `mesh.json`, manifests may have too. */
const MARKS = [AUTHORITY_LEDGER, "service-account/private.pem", "mesh.sock"];
/** Of a custom authority, of which all else is public. Source: Istio, "Plug in CA certificates". */
const KEY = "ca-key.pem";
/** The same as cert-manager names it; of programs, too. */
const KEYS = [KEY, "tls.key"];
/** A program may have a key of that name, for tests of its own; not beside this. */
const CHAIN = "cert-chain.pem";
/** Others are installed there, and nobody keeps a mesh in them. */
const PASSED_BY = new Set(["node_modules", ".git"]);
/** Below a folder that containers see. */
const DEPTH = 4;
/** A container does not wait for more of them. */
const MAX_FOLDERS = 2_000;

/**
 * As they lie now: a container that starts after a reload does not see what was put there by it either.
 *
 * @param seen folders that the container is shown
 * @returns also what is beyond these folders; nothing of the mesh's own data directory
 */
export function secretPlaces(
  seen: readonly string[],
  { dataDirectory, cacerts, kubeconfigFolder }: MeshSecrets,
): SecretPlaces {
  const own = withRealPaths([dataDirectory.path]);
  const nothing: SecretPlaces = { folders: [], files: [] };
  const authority = cacerts === undefined ? nothing : authorityPlaces(cacerts, seen);
  const found = secretsBelow(seen);
  const others = sharedDataDirectories(kubeconfigFolder);
  return {
    folders: withRealPaths([...authority.folders, ...found.folders, ...others]).filter(
      (folder) => !own.includes(folder),
    ),
    files: withRealPaths([...authority.files, ...found.files]),
  };
}

/**
 * @param authority folder of a custom authority, as the user named it; where Kubernetes mounts one, it is full of links
 * @param seen folders that containers must see, such as that of their manifest: of an authority in one of them only the key is hidden
 */
function authorityPlaces(authority: string, seen: readonly string[]): SecretPlaces {
  const given = resolve(authority);
  const real = realPath(given, hostFiles);
  const outside = hostFiles
    .entries(real)
    .map((name) => realPath(join(real, name), hostFiles))
    .filter((end) => !end.startsWith(`${real}/`));
  const isFolder = (path: string): boolean => hostFiles.lookAt(path).kind === "folder";
  const folders = [...new Set([given, real, ...outside.filter(isFolder)])];
  const shown = new Set(["/", ...seen.map((folder) => realPath(folder, hostFiles))]);
  const isShown = (folder: string): boolean => shown.has(realPath(folder, hostFiles));
  return {
    folders: folders.filter((folder) => !isShown(folder)),
    files: [
      ...outside.filter((end) => !isFolder(end)),
      ...folders.filter(isShown).flatMap((folder) => KEYS.map((key) => join(folder, key))),
    ],
  };
}

/**
 * Looks for data directories, also of meshes that have ended, and for keys of authorities.
 *
 * @param seen folders that containers see, looked through some levels deep, the nearest first
 */
function secretsBelow(seen: readonly string[]): SecretPlaces {
  const folders: string[] = [];
  const files: string[] = [];
  let level = [...new Set(seen.map((folder) => realPath(folder, hostFiles)))];
  let left = MAX_FOLDERS;
  for (let depth = 0; depth <= DEPTH && level.length > 0; depth++) {
    const looked = level.slice(0, left);
    left -= looked.length;
    const next: string[] = [];
    for (const folder of looked) {
      if (depth > 0 && MARKS.some((mark) => isFile(join(folder, mark)))) {
        folders.push(folder);
        continue;
      }
      if (isFile(join(folder, KEY)) && isFile(join(folder, CHAIN))) files.push(join(folder, KEY));
      next.push(...foldersIn(folder));
    }
    level = next;
  }
  return { folders, files };
}

/** Each place, and where it really is: but for the root of all, where nobody keeps anything else. */
function withRealPaths(places: readonly string[]): readonly string[] {
  const both = places.flatMap((place) => [resolve(place), realPath(place, hostFiles)]);
  return [...new Set(both)].filter((place) => place !== "/");
}

/** A file, a socket or a link. */
function isFile(path: string): boolean {
  return ["file", "link"].includes(hostFiles.lookAt(path).kind);
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !PASSED_BY.has(entry.name))
      .map((entry) => join(folder, entry.name));
  } catch {
    return []; // nor can a container read it
  }
}
