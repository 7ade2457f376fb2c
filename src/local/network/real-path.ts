/** Where a path of the machine really leads. Pure. */
import { posix } from "node:path";
import type { HostFiles } from "./host-files.ts";

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** @returns the path without links; what is not there is kept as it is written */
export function realPath(path: string, host: HostFiles): string {
  const left = partsOf(path);
  let at = "/";
  let links = 0;
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    const entry = posix.join(at, part);
    const found = host.lookAt(entry);
    if (found.kind !== "link" || ++links > MAX_LINKS) {
      at = entry;
      continue;
    }
    left.unshift(...partsOf(found.to));
    if (found.to.startsWith("/")) at = "/";
  }
  return at;
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
