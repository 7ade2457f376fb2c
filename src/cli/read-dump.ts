/** An Envoy's config dump in a file. */
import { readFile } from "node:fs/promises";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** A file that is asked instead of a sidecar cannot be read, or there is neither. */
export class NoConfigDumpError extends HauberkError {
  readonly code = "HAUBERK_NO_CONFIG_DUMP";
}

/** @throws NoConfigDumpError */
export async function readDump(file: string): Promise<object> {
  const fail = (why: string): NoConfigDumpError =>
    new NoConfigDumpError(`failed to get config dump from file ${file}: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw fail(why.startsWith("ENOENT") ? `open ${file}: no such file or directory` : why);
  }
  if (typeof value !== "object" || value === null) throw fail("it is no JSON object");
  return value;
}
