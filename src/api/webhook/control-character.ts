/** Line ends and the like: no header has them, and an Envoy refuses all routes of a port for one that writes them. */

/** Of a text that becomes part of a message's head. @returns what is wrong with it, or undefined; a tab is accepted */
export function controlCharacterProblem(text: string): string | undefined {
  return [...text].some(isControlCharacter) ? "has a control character" : undefined;
}

/** Of ASCII. */
function isControlCharacter(character: string): boolean {
  return character !== "\t" && (character < " " || character === "\x7f");
}
