/** What go-spiffe finds wrong with an identity, beside what we do: the same finding in other words. */

/** By what go-spiffe says; ours as it stands in `InvalidSpiffeIdError`. */
const OURS: ReadonlyMap<string, RegExp> = new Map([
  ["cannot be empty", /it is empty/],
  ["scheme is missing or invalid", /does not start with spiffe:/],
  ["trust domain is missing", /trust domain is missing/],
  [
    "trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores",
    /trust domain has a (?:character|slash)/,
  ],
  ["path cannot contain empty segments", /empty segment/],
  ["path cannot contain dot segments", /dot segment/],
  ["path cannot have a trailing slash", /trailing slash/],
  ["path must have a leading slash", /path does not start with a slash/],
  [
    "path segment characters are limited to letters, numbers, dots, dashes, and underscores",
    /path has a character/,
  ],
]);

/** Our words where they say what go-spiffe says, so that both sides are the same; else both as they are. */
export function inUpstreamWords(problem: string, expected: string): string {
  const same = OURS.get(expected);
  return same?.test(problem) ? expected : problem;
}

/** What `read` makes of a text; of what it refuses, why. */
export function readOrProblem(read: () => string, expected: string | undefined): string {
  try {
    return read();
  } catch (error) {
    return `refused: ${inUpstreamWords(error instanceof Error ? error.message : "", expected ?? "")}`;
  }
}
