/** Values of headers that a route sets: text with variables of Envoy between percent signs. */

/** What is wrong with a value, or undefined: `%%` is a percent sign, `%NAME%` and `%NAME(…)%` are variables. */
export function headerValueProblem(value: string): string | undefined {
  if ([...value].some(isControlCharacter)) return "has a control character";
  let state: State | undefined = "literal";
  for (let index = 0; index < value.length && state !== undefined; index++) {
    const character = value.charAt(index);
    // What stands after a backslash is text. "%%" needs no such care: it reads as a variable without a name.
    if (state === "text" && character === "\\") index++;
    else state = stateAfter(state, character);
  }
  if (state === "literal") return undefined;
  return 'has a "%" that begins no whole variable; a percent sign is written "%%"';
}

/** In the order in which they follow each other in `a %NAME(["text", "text"])% b`. */
type State = "literal" | "name" | "arguments" | "item" | "text" | "separator" | "close" | "end";

/** Where a character leads to; `space` and `other` are for those that are not named. */
type Step = Readonly<Record<string, State | undefined>>;

const STEPS: Readonly<Record<State, Step>> = {
  literal: { "%": "name", space: "literal", other: "literal" },
  name: { "%": "literal", "(": "arguments", space: "name", other: "name" },
  // Arguments that are no list are one text, without quotes.
  arguments: { "[": "item", space: "arguments", other: "text" },
  item: { '"': "text", space: "item" },
  text: { '"': "separator", ")": "end", space: "text", other: "text" },
  separator: { ",": "item", "]": "close", space: "separator" },
  close: { ")": "end", space: "close" },
  end: { "%": "literal", space: "end" },
};

/** @returns undefined where no such character may stand */
function stateAfter(state: State, character: string): State | undefined {
  const step = STEPS[state];
  return step[character] ?? step[character === " " ? "space" : "other"];
}

/** Of ASCII; a tab is accepted. */
function isControlCharacter(character: string): boolean {
  return character !== "\t" && (character < " " || character === "\x7f");
}
