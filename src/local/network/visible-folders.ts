/**
 * What a container sees of the homes that are hidden from it: the folders that programs are run from, and those that the
 * user names. Pure.
 */
import { delimiter, posix } from "node:path";
import type { HostFiles } from "./host-files.ts";

/** Beside programs these hold what is none of a container's business: keys, credentials. */
const MORE_THAN_PROGRAMS = [".local", ".cargo", ".docker", ".config"];
/** Of a mesh's data directory, whose `bin` its user has on the PATH: tokens and an authority's keys are around it. */
const AUTHORITY_LEDGER = "ca/ledger.json";
const LIBRARIES = ["lib", "lib64", "libexec"];

export interface VisibleFolderInputs {
  /** Homes, and other folders whose content is hidden: never shown whole, nor what is around them. */
  readonly hidden: readonly string[];
  /** The mesh's own: only what is named is shown of it. */
  readonly dataDirectory: string;
  /** PATH of the container's environment. */
  readonly path: string;
  /** Such as the folders of the manifests. */
  readonly named: readonly string[];
  readonly host: HostFiles;
}

/**
 * A program's folder comes with the folder around it, since programs are installed with what they need beside them; a
 * home is never shown whole.
 *
 * @returns absolute paths of folders that are there, all of them inside hidden ones
 */
export function visibleFolders({
  hidden,
  dataDirectory,
  path,
  named,
  host,
}: VisibleFolderInputs): readonly string[] {
  const isOwn = (folder: string): boolean => `${folder}/`.startsWith(`${dataDirectory}/`);
  const isInside = (folder: string): boolean =>
    isOwn(folder) || hidden.some((one) => folder.startsWith(`${one}/`));
  const isHome = (folder: string): boolean =>
    hidden.some((one) => one === folder || one.startsWith(`${folder}/`)) ||
    posix.dirname(folder) === "/home";
  const installed = path
    .split(delimiter)
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => posix.normalize(folder).replace(/(?<=.)\/$/, ""))
    .flatMap((folder) => installationOf(folder, isHome))
    .filter((folder) => !isOwn(folder) && !isOfMesh(folder, host));
  return [...new Set([...installed, ...named])].filter(
    (folder) =>
      isInside(folder) &&
      !isHome(folder) &&
      folder !== dataDirectory &&
      host.lookAt(folder).kind === "folder",
  );
}

function isOfMesh(folder: string, host: HostFiles): boolean {
  return host.lookAt(posix.join(folder, AUTHORITY_LEDGER)).kind === "file";
}

function installationOf(folder: string, isHome: (folder: string) => boolean): readonly string[] {
  const around = posix.dirname(folder);
  if (isHome(around) || isHome(folder)) return [folder];
  if (!MORE_THAN_PROGRAMS.includes(posix.basename(around))) return [around];
  return [folder, ...LIBRARIES.map((name) => posix.join(around, name))];
}
