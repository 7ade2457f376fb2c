/** Whom the operating system trusts, as a file that Envoy can read. */
import { accessSync, constants } from "node:fs";
import { systemBundles } from "../proxy/tls-origination/system-roots.ts";

/** @returns the first place where it may be, where there is none: who is trusted is then nobody */
export function systemRootsFile(environment: NodeJS.ProcessEnv = process.env): string {
  const places = systemBundles(environment);
  return places.find(isReadable) ?? places[0] ?? "";
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
