/** Where relative paths of a manifest lead from. */
import { dirname, resolve } from "node:path";
import type { SourceLocation } from "../api/resource.ts";

/** Absolute. */
export function folderOf({ file, folder }: SourceLocation): string {
  return folder === undefined ? dirname(resolve(file)) : resolve(folder);
}
