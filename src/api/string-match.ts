/**
 * The string patterns of AuthorizationPolicy: exact, `prefix*`, `*suffix`, and `*` for presence (AP-40..AP-44).
 * A `*` in the middle is literal; a pattern with `*` at both ends is a suffix match of the rest (AP-42).
 */

export type StringMatch =
  | { readonly kind: "exact"; readonly text: string }
  | { readonly kind: "prefix"; readonly text: string }
  | { readonly kind: "suffix"; readonly text: string }
  | { readonly kind: "present" };

export interface StringMatchOptions {
  /**
   * What a lone `*` demands (AP-41): "present" accepts a present but empty value (hosts, methods, headers),
   * "non-empty", the default, does not (paths, principals, claims, sni).
   */
  readonly star?: "present" | "non-empty";
  /** "insensitive" folds ASCII letters only, and is for hosts (AP-43, AP-52). */
  readonly letterCase?: "sensitive" | "insensitive";
}

export function parseStringMatch(pattern: string): StringMatch {
  if (pattern === "*") return { kind: "present" };
  if (pattern.startsWith("*")) return { kind: "suffix", text: pattern.slice(1) };
  if (pattern.endsWith("*")) return { kind: "prefix", text: pattern.slice(0, -1) };
  return { kind: "exact", text: pattern };
}

/** The matcher of one pattern: made once per policy change, called for every request, allocates nothing. */
export function compileStringMatch(
  pattern: string,
  { star = "non-empty", letterCase = "sensitive" }: StringMatchOptions = {},
): (value: string) => boolean {
  if (letterCase === "insensitive") {
    const matches = compileStringMatch(foldAscii(pattern), { star });
    return (value) => matches(foldAscii(value));
  }
  const match = parseStringMatch(pattern);
  switch (match.kind) {
    case "present":
      return star === "present" ? () => true : (value) => value !== "";
    case "prefix":
      return (value) => value.startsWith(match.text);
    case "suffix":
      return (value) => value.endsWith(match.text);
    case "exact":
      return (value) => value === match.text;
  }
}

/** The matcher of several patterns, one of which must match: however many are exact, they cost one look. */
export function compileStringMatches(
  patterns: readonly string[],
  options: StringMatchOptions = {},
): (value: string) => boolean {
  const [first, ...others] = patterns;
  if (first !== undefined && others.length === 0) return compileStringMatch(first, options);
  if (options.letterCase === "insensitive") {
    const matches = compileStringMatches(patterns.map(foldAscii), {
      ...options,
      letterCase: "sensitive",
    });
    return (value) => matches(foldAscii(value));
  }
  const exact = new Set(patterns.filter((pattern) => parseStringMatch(pattern).kind === "exact"));
  const wild = patterns
    .filter((pattern) => !exact.has(pattern))
    .map((pattern) => compileStringMatch(pattern, options));
  if (wild.length === 0) return (value) => exact.has(value);
  return (value) => {
    if (exact.has(value)) return true;
    for (const matches of wild) if (matches(value)) return true;
    return false;
  };
}

const UPPER_CASE = /[A-Z]/;
const UPPER_CASE_RUNS = /[A-Z]+/g;

/** Lower case for the ASCII letters, and nothing else (AP-52). */
export function foldAscii(text: string): string {
  return UPPER_CASE.test(text) ? text.replace(UPPER_CASE_RUNS, (run) => run.toLowerCase()) : text;
}
