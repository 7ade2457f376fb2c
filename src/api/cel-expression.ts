/** The door to the CEL parser, for expressions that Istio only parses: what they name is found out at run time. */
import { parse } from "@bufbuild/cel";

const INT_LIMIT = 2n ** 63n;
const UINT_LIMIT = 2n ** 64n;
/** Called on a list, with a name first; the parser keeps them as calls where that is no name. */
const BINDING_MACROS: ReadonlySet<unknown> = new Set([
  "all",
  "exists",
  "exists_one",
  "map",
  "filter",
]);

/** In code points, as the parser of Istio has it. */
const LONGEST_EXPRESSION = 100_000;

/** @returns what is wrong with the syntax of an expression; undefined when nothing is */
export function celProblem(expression: string): string | undefined {
  if (isLongerThan(LONGEST_EXPRESSION, expression)) {
    return `is longer than ${LONGEST_EXPRESSION} characters, the most that an expression may have`;
  }
  try {
    return treeProblem(parse(`${expression}\n`).expr);
  } catch (error) {
    if (error instanceof RangeError) return "is nested too deeply to be read as a CEL expression";
    const place = /:(\d+):(\d+):/.exec(error instanceof Error ? error.message : "");
    return place === null
      ? "is not a CEL expression"
      : `is not a CEL expression: line ${place[1]}, column ${place[2]} cannot be read`;
  }
}

/** The parser's own tree of an expression in which nothing is wrong; undefined for any other. */
export function parsedCel(expression: string): unknown {
  return celProblem(expression) === undefined ? parse(`${expression}\n`).expr : undefined;
}

function isLongerThan(most: number, text: string): boolean {
  return text.length > most && (text.length > 2 * most || [...text].length > most);
}

/** What the parser of Istio refuses, and this one reads all the same: numbers beyond their type, macros without a name. */
function treeProblem(tree: unknown): string | undefined {
  if (typeof tree !== "object" || tree === null) return undefined;
  const own = "case" in tree && "value" in tree ? nodeProblem(tree.case, tree.value) : undefined;
  if (own !== undefined) return own;
  for (const part of Object.values(tree)) {
    const problem = treeProblem(part);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function nodeProblem(kind: unknown, value: unknown): string | undefined {
  if (isBeyondType(kind, value)) return "is not a CEL expression: a number is too large";
  if (kind !== "callExpr" || !isCall(value)) return undefined;
  const { function: name, target, args } = value;
  const isHas = name === "has" && target === undefined && args.length === 1;
  const isBinding = BINDING_MACROS.has(name) && target !== undefined && args.length === 2;
  return isHas || isBinding
    ? `is not a CEL expression: ${name} has to be given ${isHas ? "a field" : "a name first"}`
    : undefined;
}

function isBeyondType(kind: unknown, value: unknown): boolean {
  if (kind === "doubleValue") return typeof value === "number" && !Number.isFinite(value);
  if (typeof value !== "bigint") return false;
  if (kind === "uint64Value") return value >= UINT_LIMIT;
  return kind === "int64Value" && (value >= INT_LIMIT || value < -INT_LIMIT);
}

interface Call {
  readonly function: unknown;
  readonly target?: unknown;
  readonly args: readonly unknown[];
}

function isCall(value: unknown): value is Call {
  return (
    typeof value === "object" &&
    value !== null &&
    "function" in value &&
    "args" in value &&
    Array.isArray(value.args)
  );
}
