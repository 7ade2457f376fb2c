/**
 * What a container sees of the homes that are hidden from it: the folders that programs are run from, and those that the
 * user names. Pure.
 */
import { delimiter, posix } from "node:path";
import type { HostFiles } from "./host-files.ts";
import { realPath } from "./real-path.ts";

/** Of a mesh's data directory, whose `bin` its user has on the PATH: tokens and an authority's keys are around it. */
export const AUTHORITY_LEDGER: string = "ca/ledger.json";
/** What programs read beside the folder that they are in; of what is around it all else may be anything, credentials too. */
const LIBRARIES = ["lib", "lib64", "libexec"];
const READ_ONLY_DATA = "share";
/** Whose `share` is where desktops keep keys. */
const HOMES_OWN = new Set([".local"]);
/** Folders that hold installations and nothing else, by their names. */
const INSTALLATIONS = new Set(["node_modules", ".pyenv", ".rbenv", ".nodenv", ".asdf", ".volta"]);
/** In an installation that has parts with other names: of Node, Go, Java, Python and Conda. */
const MARKS = [
  { path: "include/node", kind: "folder" },
  { path: "pkg/tool", kind: "folder" },
  { path: "lib/modules", kind: "file" },
  { path: "pyvenv.cfg", kind: "file" },
  { path: "conda-meta", kind: "folder" },
] as const;

export interface VisibleFolderInputs {
  /** Homes, and other folders whose content is hidden: never shown whole, nor what is around them. */
  readonly hidden: readonly string[];
  /** Such as the mesh's data directory: only what is named is shown of them. */
  readonly secret: readonly string[];
  /** PATH of the container's environment. */
  readonly path: string;
  /** Such as the folders of the manifests. */
  readonly named: readonly string[];
  readonly host: HostFiles;
}

/**
 * A program's folder comes with its libraries, and with all that is around it where that is known for an installation; a
 * home is never shown whole.
 *
 * @returns absolute paths of folders that are there, all of them inside hidden ones
 */
export function visibleFolders({
  hidden,
  secret,
  path,
  named,
  host,
}: VisibleFolderInputs): readonly string[] {
  const secrets = [...secret, ...secret.map((one) => realPath(one, host))];
  const isSecret = (folder: string): boolean =>
    secrets.some((one) => `${folder}/`.startsWith(`${one}/`));
  const isInside = (folder: string): boolean =>
    isSecret(folder) || hidden.some((one) => folder.startsWith(`${one}/`));
  const isHome = (folder: string): boolean =>
    folder === "/" ||
    hidden.some((one) => one === folder || one.startsWith(`${folder}/`)) ||
    posix.dirname(folder) === "/home";
  const installed = path
    .split(delimiter)
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => posix.normalize(folder).replace(/(?<=.)\/$/, ""))
    .flatMap((folder) => installationOf(folder, { isHome, host }))
    .filter((folder) => !isSecret(folder));
  const led = named.flatMap((folder) => throughLinks(folder, { isHome, isSecret, host }));
  return [...new Set([...installed, ...named, ...led])].filter(
    (folder) =>
      isInside(folder) &&
      !isHome(folder) &&
      !secrets.includes(folder) &&
      (led.includes(folder) || host.lookAt(folder).kind === "folder"),
  );
}

/** A folder that is named by a link is shown under both names; what may not be shown is not shown by a link either. */
function throughLinks(
  folder: string,
  {
    isHome,
    isSecret,
    host,
  }: {
    readonly isHome: (folder: string) => boolean;
    readonly isSecret: (folder: string) => boolean;
    readonly host: HostFiles;
  },
): readonly string[] {
  const real = realPath(folder, host);
  const isShown = real !== folder && !isHome(real) && !isSecret(real);
  return isShown && host.lookAt(real).kind === "folder" ? [folder, real] : [];
}

function installationOf(
  folder: string,
  { isHome, host }: { readonly isHome: (folder: string) => boolean; readonly host: HostFiles },
): readonly string[] {
  const around = posix.dirname(folder);
  const isThere = (path: string, kind: "file" | "folder"): boolean =>
    host.lookAt(posix.join(around, path)).kind === kind;
  if (isHome(around) || isHome(folder)) return [folder];
  if (isThere(AUTHORITY_LEDGER, "file")) return [];
  const name = posix.basename(around);
  if (INSTALLATIONS.has(name) || MARKS.some(({ path, kind }) => isThere(path, kind)))
    return [around];
  const beside = HOMES_OWN.has(name) ? LIBRARIES : [...LIBRARIES, READ_ONLY_DATA];
  return [folder, ...beside.map((one) => posix.join(around, one))];
}
