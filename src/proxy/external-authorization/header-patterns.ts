/** Which headers a list of the mesh configuration means: whole names, `x-*` or `*-id`, in any letter case (EA-11, EA-13..EA-15). */

export type MatchesHeader = (name: string) => boolean;

/** @returns for names in lower case */
export function headerPatterns(patterns: readonly string[]): MatchesHeader {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  const suffixes: string[] = [];
  for (const pattern of patterns.map((one) => one.toLowerCase())) {
    if (pattern.startsWith("*")) suffixes.push(pattern.slice(1));
    else if (pattern.endsWith("*")) prefixes.push(pattern.slice(0, -1));
    else exact.add(pattern);
  }
  return (name) =>
    exact.has(name) ||
    prefixes.some((prefix) => name.startsWith(prefix)) ||
    suffixes.some((suffix) => name.endsWith(suffix));
}
