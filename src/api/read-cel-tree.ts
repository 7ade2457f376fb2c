/** From what the CEL parser gives to a `CelTree`, of bounded size, so that evaluating it has a bounded cost. */
import type { CelTree } from "./cel-tree.ts";

/** A filter is evaluated for every request: what is larger belongs elsewhere. */
const MOST_PARTS = 1_000;
const DEEPEST = 100;

/** @returns a text: why it cannot be evaluated here */
export function readCelTree(parsed: unknown): CelTree | string {
  try {
    return new Reader().read(parsed, 0);
  } catch (error) {
    if (error instanceof UnreadableTree) return error.message;
    throw error;
  }
}

/** Never leaves this file. */
class UnreadableTree extends Error {}

interface Node {
  readonly case: string;
  readonly value: Readonly<Record<string, unknown>>;
}

class Reader {
  #parts = 0;

  read(parsed: unknown, depth: number): CelTree {
    if (++this.#parts > MOST_PARTS) throw new UnreadableTree(`has more than ${MOST_PARTS} parts`);
    if (depth > DEEPEST) throw new UnreadableTree(`is nested more than ${DEEPEST} deep`);
    const { case: kind, value } = nodeOf(parsed, "exprKind");
    const part = (name: string): CelTree => this.read(value[name], depth + 1);
    const parts = (name: string): CelTree[] =>
      listOf(value[name]).map((one) => this.read(one, depth + 1));
    switch (kind) {
      case "constExpr":
        return constant(value);
      case "identExpr":
        return { is: "name", name: textOf(value["name"]) };
      case "selectExpr": {
        const is = value["testOnly"] === true ? "presence" : "field";
        return { is, of: part("operand"), name: textOf(value["field"]) };
      }
      case "callExpr": {
        const target = value["target"] === undefined ? [] : [part("target")];
        return {
          is: "call",
          name: textOf(value["function"]),
          arguments: [...target, ...parts("args")],
        };
      }
      case "listExpr":
        return { is: "list", items: parts("elements") };
      case "comprehensionExpr":
        if (textOf(value["iterVar2"]) !== "") break;
        return {
          is: "fold",
          variable: textOf(value["iterVar"]),
          range: part("iterRange"),
          result: textOf(value["accuVar"]),
          start: part("accuInit"),
          condition: part("loopCondition"),
          step: part("loopStep"),
          end: part("result"),
        };
    }
    throw new UnreadableTree("has a map or a message, which sidecars do not evaluate yet");
  }
}

const CONSTANTS: Readonly<Record<string, (CelTree & { readonly is: "constant" })["type"]>> = {
  nullValue: "null",
  boolValue: "bool",
  int64Value: "int",
  uint64Value: "uint",
  doubleValue: "double",
  stringValue: "string",
};

function constant(value: Readonly<Record<string, unknown>>): CelTree {
  const { case: kind, value: of } = kindOf(value["constantKind"]);
  const type = Object.hasOwn(CONSTANTS, kind) ? CONSTANTS[kind] : undefined;
  if (type === undefined) throw new UnreadableTree("has bytes, which sidecars do not evaluate yet");
  return { is: "constant", type, text: type === "null" ? "" : String(of) };
}

function nodeOf(parsed: unknown, field: string): Node {
  const { case: kind, value } = kindOf(isMap(parsed) ? parsed[field] : undefined);
  return { case: kind, value: isMap(value) ? value : {} };
}

function kindOf(node: unknown): { readonly case: string; readonly value: unknown } {
  return isMap(node)
    ? { case: textOf(node["case"]), value: node["value"] }
    : { case: "", value: {} };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
