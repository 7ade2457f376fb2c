/** Names of headers as mesh configurations write them, `x-user` or `x-user-*` or `*-id`, in Envoy's terms (EA-11). */

type Pattern = Readonly<Record<"exact" | "prefix" | "suffix", string>>;

/**
 * @param field of the message that takes such a list
 * @returns nothing where the list is empty: Envoy's default counts then
 */
export function listOfPatterns(
  field: string,
  names: readonly string[],
): Readonly<Record<string, object>> {
  if (names.length === 0) return {};
  return { [field]: { patterns: names.map((name) => ({ ...pattern(name), ignoreCase: true })) } };
}

function pattern(name: string): Partial<Pattern> {
  if (name.startsWith("*")) return { suffix: name.slice(1) };
  return name.endsWith("*") ? { prefix: name.slice(0, -1) } : { exact: name };
}
