/** `filter` of a Telemetry's access logging: CEL over Envoy's attributes (OBS-12, VAL-50), read into plain data. */
import { parsedCel } from "./cel-expression.ts";
import { CEL_FUNCTIONS, type CelTree, isCelFunction, partsOf } from "./cel-tree.ts";
import type { Fields } from "./decoder.ts";
import { linearPattern } from "./linear-pattern.ts";
import { EMPTY_SUBJECTS, LOG_ATTRIBUTES, logAttribute } from "./log-attributes.ts";
import { quoted } from "./quoted.ts";
import { readCelTree } from "./read-cel-tree.ts";
import { textIn } from "./webhook/written-values.ts";

export interface LogFilter {
  readonly expression: string;
  /** Absent for an expression that no sidecar can evaluate: nothing satisfies it. */
  readonly tree?: CelTree;
}

/** Reads an expression that the webhook found good; what cannot be evaluated is told in a notice. */
export function logFilter(fields: Fields): LogFilter {
  const expression = textIn(fields, "expression");
  const parsed = parsedCel(expression);
  if (parsed === undefined) return { expression };
  const tree = readCelTree(parsed);
  const problem = typeof tree === "string" ? tree : functionProblem(tree);
  if (typeof tree === "string" || problem !== undefined) {
    fields.notice("expression", `${problem}: nothing is logged by it`);
    return { expression };
  }
  for (const name of unknownNames(tree)) {
    fields.notice(
      "expression",
      `names ${quoted(name)}, which is no attribute of Envoy's: where that is asked for, nothing is logged`,
    );
  }
  return { expression, tree };
}

function functionProblem(tree: CelTree): string | undefined {
  for (const part of partsOf(tree)) {
    if (part.is !== "call") continue;
    if (!isCelFunction(part.name)) {
      return `calls ${quoted(part.name)}, which sidecars do not know yet`;
    }
    if (part.arguments.length !== CEL_FUNCTIONS[part.name]) {
      return `calls ${quoted(part.name)} with ${part.arguments.length} arguments`;
    }
    const problem = part.name === "matches" ? patternProblem(part.arguments[1]) : undefined;
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A pattern is compiled once, and so has to be written out. */
function patternProblem(pattern: CelTree | undefined): string | undefined {
  if (pattern?.is !== "constant" || pattern.type !== "string") {
    return 'calls "matches" with a pattern that is not written out';
  }
  const compiled = linearPattern(pattern.text);
  return typeof compiled === "string" ? `has a pattern that ${compiled}` : undefined;
}

function unknownNames(tree: CelTree): ReadonlySet<string> {
  const own = new Set<string>();
  const unknown = new Set<string>();
  for (const part of partsOf(tree)) {
    if (part.is === "fold") own.add(part.variable).add(part.result);
  }
  for (const part of partsOf(tree)) {
    const name = unknownName(part);
    if (name !== undefined && !own.has(name.split(".")[0] ?? "")) unknown.add(name);
  }
  return unknown;
}

function unknownName(part: CelTree): string | undefined {
  if (part.is === "name") {
    const known = Object.hasOwn(LOG_ATTRIBUTES, part.name) || EMPTY_SUBJECTS.has(part.name);
    return known ? undefined : part.name;
  }
  if (part.is !== "field" && part.is !== "presence") return undefined;
  if (part.of.is !== "name" || !Object.hasOwn(LOG_ATTRIBUTES, part.of.name)) return undefined;
  const { name: subject } = part.of;
  return logAttribute(subject, part.name) === undefined ? `${subject}.${part.name}` : undefined;
}
