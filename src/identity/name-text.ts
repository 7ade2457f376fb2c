/** The name in a certificate, in one line, for people: never to be compared. */

const MAX_CHARACTERS = 200;

/** @param name as Node gives it: one attribute a line; absent or empty where there is none */
export function nameText(name: string | undefined): string {
  if (name === undefined || name === "") return "no name";
  const line = JSON.stringify(name.replaceAll("\n", ", "));
  return line.length > MAX_CHARACTERS ? `${line.slice(0, MAX_CHARACTERS)}…"` : line;
}
