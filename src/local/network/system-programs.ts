/** The programs that build a mesh's network. Those of an administrator are often not on an ordinary user's PATH. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where administrators' programs are when PATH does not say. */
const FURTHER_FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin"];

/** Each with the package that it is part of. */
export const PROGRAM_PACKAGES = {
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  mount: "util-linux",
  umount: "util-linux",
  ip: "iproute2",
  nft: "nftables",
  bwrap: "bubblewrap",
} as const;

export type SystemProgram = keyof typeof PROGRAM_PACKAGES;

/** PATH with the folders in which administrators' programs are. */
export function systemPath(path: string | undefined = process.env["PATH"]): string {
  const own = path === undefined || path === "" ? [] : path.split(delimiter);
  return [...new Set([...own, ...FURTHER_FOLDERS])].join(delimiter);
}

/** @returns its absolute path; undefined where it is not installed */
export function findSystemProgram(
  program: string,
  path: string = systemPath(),
): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, program))
    .find(isRunnable);
}

/** The absolute path of a program that is there, or its name, so that whoever starts it says what is missing. */
export function systemProgram(program: SystemProgram): string {
  return findSystemProgram(program) ?? program;
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false; // not there, or not ours to run
  }
}
