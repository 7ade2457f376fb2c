/** Colours for a terminal that wants them. Whatever they say is said in words too. */

export type Shade = "good" | "bad" | "faint";
export type Paint = (text: string, shade: Shade) => string;

const CODES: Readonly<Record<Shade, number>> = { good: 32, bad: 31, faint: 2 };

export const COLOURS: Paint = (text, shade) => `\u001b[${CODES[shade]}m${text}\u001b[0m`;
export const NO_COLOURS: Paint = (text) => text;

/** @see https://no-color.org */
export function paintFor(environment: Readonly<Record<string, string | undefined>>): Paint {
  return environment["NO_COLOR"] ? NO_COLOURS : COLOURS;
}
