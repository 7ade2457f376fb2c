/** What is wrong with one value that has no parts: text, one of a few words, a number, true or false. */
import { describeNode, quoteHint } from "../describe-node.ts";
import { quoted } from "../quoted.ts";
import type { YamlNode } from "../yaml-documents.ts";
import type { ChoiceSchema, FlagSchema, NumberSchema, TextSchema } from "./schema.ts";

type ScalarSchema = TextSchema | ChoiceSchema | NumberSchema | FlagSchema;

/** @returns undefined when nothing is; else words to follow the path */
export function scalarProblem(schema: ScalarSchema, node: YamlNode): string | undefined {
  const value = node.type === "scalar" ? node.value : null;
  switch (schema.type) {
    case "text":
      if (typeof value === "string") return textProblem(schema, value);
      if (schema.meaning !== undefined) return expected(schema.meaning, node);
      return `${expected("text", node)}${quoteHint(node, "shown")}`;
    case "choice":
      if (typeof value === "string" && schema.values.includes(value)) return undefined;
      return expected(`one of ${schema.values.map(choiceInWords).join(", ")}`, node);
    case "flag":
      return typeof value === "boolean" ? undefined : expected("true or false", node);
    default:
      return typeof value === "number" && isNumber(schema, value)
        ? undefined
        : expected(numberInWords(schema), node);
  }
}

/** Whether a value is of the type at all that its schema asks for, however it stands with the rest. */
export function hasType(schema: ScalarSchema, node: YamlNode): boolean {
  const value = node.type === "scalar" ? node.value : null;
  switch (schema.type) {
    case "text":
    case "choice":
      return typeof value === "string";
    case "flag":
      return typeof value === "boolean";
    default:
      return typeof value === "number";
  }
}

/** `is a list; expected text` */
export function expected(what: string, node: YamlNode): string {
  return `is ${describeNode(node, "shown")}; expected ${what}`;
}

function choiceInWords(value: string): string {
  return value === "" ? '""' : value;
}

function textProblem(schema: TextSchema, value: string): string | undefined {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern, format } = schema;
  const length = [...value].length;
  if (length < minLength) {
    return minLength === 1 ? "must not be empty" : `must have at least ${minLength} characters`;
  }
  if (length > maxLength) {
    return `is longer than ${maxLength} characters`;
  }
  if (pattern !== undefined && !pattern.test(value)) {
    return `is ${quoted(value)}; expected text of the form ${pattern.source}`;
  }
  return format === undefined || isBase64(value) ? undefined : "is not base64";
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** As Go reads it: line ends do not count. */
function isBase64(value: string): boolean {
  return BASE64.test(value.replace(/[\r\n]/g, ""));
}

function isNumber({ type, min, max }: NumberSchema, value: number): boolean {
  if (type === "integer" && !Number.isInteger(value)) return false;
  if (!Number.isFinite(value)) return false;
  return value >= (min ?? value) && value <= (max ?? value);
}

function numberInWords({ type, min, max }: NumberSchema): string {
  const what = type === "integer" ? "a whole number" : "a number";
  if (min !== undefined && max !== undefined) return `${what} from ${min} to ${max}`;
  if (min !== undefined) return `${what}, at least ${min}`;
  return max === undefined ? what : `${what}, at most ${max}`;
}
