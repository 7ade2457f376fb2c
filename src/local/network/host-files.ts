/** What lies where on this machine, as far as it must be known to arrange another view of it. */
import { lstatSync, readdirSync, readlinkSync } from "node:fs";

export type FileKind =
  | { readonly kind: "folder" | "file" | "absent" }
  /** `to` as it is written: absolute, or relative to the link's folder. */
  | { readonly kind: "link"; readonly to: string };

export interface HostFiles {
  /** What cannot be seen counts as absent. */
  lookAt(path: string): FileKind;
  /** Names; none of a folder that cannot be read. */
  entries(folder: string): readonly string[];
}

export const hostFiles: HostFiles = {
  lookAt(path) {
    try {
      const found = lstatSync(path);
      if (found.isSymbolicLink()) return { kind: "link", to: readlinkSync(path) };
      return { kind: found.isDirectory() ? "folder" : "file" };
    } catch {
      return { kind: "absent" }; // or hidden from us, which comes to the same
    }
  },
  entries(folder) {
    try {
      return readdirSync(folder).sort();
    } catch {
      return []; // not ours to read: its like is then empty
    }
  },
};
