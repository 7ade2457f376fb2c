/** What tells two configurations apart in a few characters. */
import { createHash } from "node:crypto";

const CHARACTERS = 16;

/** @param parts plain JSON */
export function fingerprint(parts: unknown): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, CHARACTERS);
}
