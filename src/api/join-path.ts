/** Paths inside a document, as messages name them. */
import { quoted } from "./quoted.ts";

/** `spec.mtls`, or `metadata.labels["app.kubernetes.io/name"]` where the name has more than letters, digits, "_" and "-". */
export function joinPath(path: string, name: string): string {
  if (!/^[\w-]{1,253}$/.test(name)) return `${path}[${quoted(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}
