/** Lines of the access logs that users configure: a format is compiled once, into a function of the call. */
import { ISTIO_JSON, ISTIO_TEXT } from "../api/istio-log-formats.ts";
import { parseLogTemplate } from "../api/log-template.ts";
import type { LogFormat } from "../api/mesh-settings.ts";
import { printable, printableJson } from "../runtime/printable.ts";
import type { LoggedCall } from "./logged-call.ts";
import { type OperatorValue, operatorValue } from "./operator-values.ts";

/** One line, without its line end. */
export type FormatLine = (call: LoggedCall) => string;

/** @throws SyntaxError for a JSON format that is no JSON */
export function compileLogFormat({ encoding, template, omitEmpty }: LogFormat): FormatLine {
  const absent = omitEmpty ? "left out" : "written";
  if (encoding === "TEXT") return compileText(template ?? ISTIO_TEXT, absent);
  const shape: unknown = template === undefined ? undefined : JSON.parse(template);
  const value = compileJson(shape ?? ISTIO_JSON, absent);
  return (call) => printableJson(value(call) ?? "null");
}

type Absent = "left out" | "written";

function compileText(template: string, absent: Absent): FormatLine {
  const parts = parseLogTemplate(template.replace(/\n$/, "")).map((part) =>
    "text" in part ? constant(part.text) : told(operatorValue(part), absent),
  );
  return (call) => {
    let line = "";
    for (const part of parts) line += part(call);
    return line;
  };
}

function constant(text: string): FormatLine {
  const safe = text.replaceAll("\n", " ");
  return () => safe;
}

function told(value: OperatorValue | undefined, absent: Absent): FormatLine {
  const empty = absent === "left out" ? "" : "-";
  if (value === undefined) return () => empty;
  return (call) => {
    const found = value(call);
    if (typeof found === "number") return String(found);
    return found === undefined || found === null ? empty : fieldText(found);
  };
}

/** Cheap to look for, as hardly any value has one: nothing but visible ASCII without quotes and backslashes is safe. */
const UNSAFE = /[^ !#-[\]-~]/;

/** A quote within a value would end its field: whoever sent it could write fields of his own. */
function fieldText(value: string): string {
  return UNSAFE.test(value) ? printable(value.replace(/["\\]/g, "\\$&")) : value;
}

/** Undefined: to be left out. */
type JsonText = (call: LoggedCall) => string | undefined;

function compileJson(shape: unknown, absent: Absent): JsonText {
  if (typeof shape === "string") return compileJsonText(shape, absent);
  if (Array.isArray(shape)) return compileJsonList(shape, absent);
  if (typeof shape === "object" && shape !== null) return compileJsonObject(shape, absent);
  const text = JSON.stringify(shape);
  return () => text;
}

function compileJsonList(list: readonly unknown[], absent: Absent): JsonText {
  const items = list.map((item) => compileJson(item, absent));
  return (call) => `[${items.map((item) => item(call) ?? "null").join(",")}]`;
}

function compileJsonObject(shape: object, absent: Absent): JsonText {
  const fields = Object.entries(shape).map(
    ([name, inner]) => [`${JSON.stringify(name)}:`, compileJson(inner, absent)] as const,
  );
  return (call) => {
    let text = "";
    for (const [name, value] of fields) {
      const written = value(call);
      if (written !== undefined) text += `${text === "" ? "" : ","}${name}${written}`;
    }
    return `{${text}}`;
  };
}

/** A text that is one operator has the operator's type; absent, it is null, or left out. */
function compileJsonText(text: string, absent: Absent): JsonText {
  const [only, ...others] = parseLogTemplate(text);
  if (only !== undefined && "name" in only && others.length === 0) {
    const value = operatorValue(only) ?? (() => "-");
    const missing = absent === "left out" ? undefined : "null";
    return (call) => {
      const found = value(call);
      return found === undefined || found === null ? missing : jsonText(found);
    };
  }
  const empty = absent === "left out" ? "" : "-";
  const parts = parseLogTemplate(text).map((part) => {
    const value = "text" in part ? () => part.text : operatorValue(part);
    return (call: LoggedCall): string => String(value?.(call) ?? empty);
  });
  return (call) => JSON.stringify(parts.map((part) => part(call)).join(""));
}

function jsonText(value: string | number): string {
  if (typeof value === "number") return String(value);
  return UNSAFE.test(value) ? JSON.stringify(value) : `"${value}"`;
}
