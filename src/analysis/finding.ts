/** What an analyzer says, and the catalogue that its words come from. */
import type { SourceLocation } from "../api/resource.ts";
import type { AnalyzedMesh } from "./analyzed-mesh.ts";
import type { AnalyzedObject } from "./analyzed-object.ts";
import type { Field } from "./field.ts";
import { ISTIO_MESSAGES } from "./istio-messages.ts";
import { OWN_MESSAGES } from "./own-messages.ts";

export type FindingLevel = "Info" | "Warning" | "Error";

export interface Finding {
  /** `IST0101` as istioctl's, `HBK0001` of our own. */
  readonly code: string;
  readonly name: string;
  readonly level: FindingLevel;
  /** `VirtualService shop/cart` */
  readonly resource: string;
  /** "" where the kind lives in none. */
  readonly namespace: string;
  readonly source: SourceLocation;
  readonly message: string;
}

export interface Analyzer {
  /** As in upstream's tests, such as `gateway.SecretAnalyzer`. */
  readonly name: string;
  readonly about: string;
  /** What it says of an object is said once, in however many places of it it holds. */
  readonly once?: true;
  analyze(mesh: AnalyzedMesh): Iterable<Finding>;
}

export interface Message {
  readonly code: string;
  readonly name: string;
  readonly level: FindingLevel;
  /** With `%s`, `%v` and `%d` for plain values, `%q` for quoted ones. */
  readonly template: string;
}

/** Every code that can be told. */
export const MESSAGES: readonly Message[] = `${ISTIO_MESSAGES}${OWN_MESSAGES}`
  .split("\n")
  .filter((row) => row !== "")
  .map((row) => {
    const [code = "", name = "", level = "", ...words] = row.split(" ");
    return { code, name, level: levelOf(level), template: words.join(" ") };
  });

const BY_CODE: ReadonlyMap<string, Message> = new Map(MESSAGES.map((one) => [one.code, one]));

export type MessageValue = string | number | readonly (string | number)[];

/**
 * @param at where in the object it is; absent: its first line
 * @throws Error where the code is in no catalogue: a defect of the analyzer
 */
export function finding(
  object: AnalyzedObject,
  code: string,
  values: readonly MessageValue[] = [],
  at: Field = object.root,
): Finding {
  const source = { file: object.file, line: at.line };
  const namespace = namespaceOf(object);
  return findingAt({ source, resource: object.title, namespace }, code, values);
}

/** Whose an object is; "" where it lives in none. A Namespace is its own. */
export function namespaceOf({ kind, name, namespace }: AnalyzedObject): string {
  return kind === "Namespace" ? name : namespace;
}

/** As `finding`, of what is not read as an object. */
export function findingAt(
  where: Pick<Finding, "source" | "resource" | "namespace">,
  code: string,
  values: readonly MessageValue[],
): Finding {
  const message = BY_CODE.get(code);
  if (message === undefined) throw new Error(`no message has the code ${code}`);
  const { name, level, template } = message;
  return { code, name, level, ...where, message: filled(template, values) };
}

function filled(template: string, values: readonly MessageValue[]): string {
  const left = [...values];
  return template.replace(/%([svdq])/g, (_, verb: string) => {
    const value = left.shift() ?? "";
    if (typeof value === "object") return `[${value.join(" ")}]`;
    return verb === "q" ? JSON.stringify(String(value)) : String(value);
  });
}

function levelOf(word: string): FindingLevel {
  if (word === "Info" || word === "Warning" || word === "Error") return word;
  throw new Error(`no level is called ${word}`);
}
