/** Label selectors as they stand in a URL: `app=shop,tier in (front,back),!old`. Source: apimachinery `pkg/labels`. */
import { badRequest } from "./refusals.ts";

type Labels = Readonly<Record<string, string>>;

export type LabelSelector = (labels: Labels) => boolean;

/** Longest selector that is read, in characters. */
const MAX_SELECTOR = 8_192;
const KEY = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const TOKEN = /\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)/y;

/** @throws StatusError 400 */
export function parseLabelSelector(text: string): LabelSelector {
  if (text.trim() === "") return () => true;
  if (text.length > MAX_SELECTOR) throw unparsable("it is too long");
  const tokens = new Tokens(text);
  const requirements: LabelSelector[] = [];
  do requirements.push(requirement(tokens));
  while (tokens.take(","));
  tokens.expectEnd();
  return (labels) => requirements.every((matches) => matches(labels));
}

function requirement(tokens: Tokens): LabelSelector {
  if (tokens.take("!")) {
    const key = keyOf(tokens);
    return (labels) => !Object.hasOwn(labels, key);
  }
  const key = keyOf(tokens);
  const operator = tokens.peek();
  switch (operator) {
    case "=":
    case "==": {
      tokens.next();
      const value = labelValue(tokens);
      return (labels) => labels[key] === value && Object.hasOwn(labels, key);
    }
    case "!=": {
      tokens.next();
      const value = labelValue(tokens);
      return (labels) => !Object.hasOwn(labels, key) || labels[key] !== value;
    }
    case "in":
    case "notin": {
      tokens.next();
      const values = labelValues(tokens);
      const isWanted = operator === "in";
      return (labels) =>
        Object.hasOwn(labels, key) ? values.has(labels[key] ?? "") === isWanted : !isWanted;
    }
    case "<":
    case ">": {
      tokens.next();
      const limit = Number(labelValue(tokens));
      if (!Number.isInteger(limit)) throw unparsable("for < and >, the value must be an integer");
      return (labels) => {
        const value = Object.hasOwn(labels, key) ? Number.parseInt(labels[key] ?? "", 10) : NaN;
        return operator === "<" ? value < limit : value > limit;
      };
    }
    default:
      return (labels) => Object.hasOwn(labels, key);
  }
}

function keyOf(tokens: Tokens): string {
  const key = tokens.next() ?? "";
  if (!KEY.test(key))
    throw unparsable(`found '${key}', expected: !, identifier, or 'end of string'`);
  return key;
}

function labelValue(tokens: Tokens): string {
  const next = tokens.peek();
  if (next === undefined || next === ",") return "";
  tokens.next();
  if (!VALUE.test(next)) throw unparsable(`found '${next}', expected: identifier`);
  return next;
}

function labelValues(tokens: Tokens): ReadonlySet<string> {
  const values = new Set<string>();
  if (!tokens.take("(")) throw unparsable(`found '${tokens.peek() ?? ""}' expected: '('`);
  do {
    const next = tokens.peek();
    if (next === ")" || next === ",") values.add("");
    else values.add(labelValue(tokens));
  } while (tokens.take(","));
  if (!tokens.take(")")) throw unparsable(`found '${tokens.peek() ?? ""}', expected: ',' or ')'`);
  return values;
}

class Tokens {
  readonly #tokens: string[] = [];
  #at = 0;
  constructor(text: string) {
    const pattern = new RegExp(TOKEN);
    while (pattern.lastIndex < text.length) {
      const found = pattern.exec(text)?.[1];
      if (found === undefined) break; // white space at the end
      this.#tokens.push(found);
    }
  }
  peek(): string | undefined {
    return this.#tokens[this.#at];
  }
  next(): string | undefined {
    return this.#tokens[this.#at++];
  }
  take(token: string): boolean {
    if (this.peek() !== token) return false;
    this.#at++;
    return true;
  }
  expectEnd(): void {
    const rest = this.peek();
    if (rest !== undefined) throw unparsable(`found '${rest}', expected: ',' or 'end of string'`);
  }
}

function unparsable(problem: string): Error {
  return badRequest(`unable to parse requirement: ${problem}`);
}
