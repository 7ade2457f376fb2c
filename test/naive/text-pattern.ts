/** The one kind of pattern that most fields share (AP-40..AP-44). */

/** `*` asks for a text that is not empty (AP-41). */
export function matchesText(pattern: string, text: string): boolean {
  if (pattern === "*") return text !== "";
  // AP-42: with a star at both ends the first one counts, and the last one is an ordinary character.
  if (pattern.startsWith("*")) return text.endsWith(pattern.slice(1));
  if (pattern.endsWith("*")) return text.startsWith(pattern.slice(0, -1));
  return text === pattern;
}

/** `*` asks for presence, be it empty (AP-41); what is absent has no value at all (AP-57, AP-80). */
export function matchesHeader(pattern: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  return pattern === "*" || matchesText(pattern, text);
}

/** Only `A` to `Z` have another case (AP-52, as Envoy compares). */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A regular expression that means a text as it is written. */
export function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
