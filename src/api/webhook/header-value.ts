/** Values of headers that a route sets: text with variables of Envoy between percent signs. */
import { controlCharacterProblem } from "./control-character.ts";

/** Source: envoy.config.core.v3.HeaderValue; an Envoy refuses all routes of a port for a longer one. */
const MAX_BYTES = 16_384;

/** What is wrong with a value, or undefined: `%%` is a percent sign, `%NAME%` and `%NAME(…)%` are variables. */
export function headerValueProblem(value: string): string | undefined {
  const problem = controlCharacterProblem(value);
  if (problem !== undefined) return problem;
  if (Buffer.byteLength(value) > MAX_BYTES) return `has more than ${MAX_BYTES} bytes`;
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
