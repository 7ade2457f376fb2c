/** Parts of other projects that `test/interop/run.mjs --allow-missing` did not find. */

/** @returns why a test that needs these parts is skipped; false when it is not */
export function missingParts(...parts: readonly string[]): string | false {
  const missing = (process.env["HAUBERK_MISSING_PARTS"] ?? "").split(",");
  const needed = parts.filter((part) => missing.includes(part));
  return needed.length > 0 && `needs ${needed.join(", ")}`;
}
