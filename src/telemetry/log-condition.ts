/**
 * The filter of an access log (OBS-12), compiled once for each view into a function of the call. What is asked for and
 * absent is an error, and whatever is not plainly true is not logged (OBS-13).
 */
import { type CelFold, type CelFunction, type CelTree, isCelFunction } from "../api/cel-tree.ts";
import { linearPattern } from "../api/linear-pattern.ts";
import { EMPTY_SUBJECTS, LOG_ATTRIBUTES, logAttribute } from "../api/log-attributes.ts";
import type { LogFilter } from "../api/log-filter.ts";
import { ATTRIBUTE_VALUES } from "./attribute-values.ts";
import { type CompiledFunction, type LazyFunction, STRICT_FUNCTIONS } from "./cel-functions.ts";
import { CelLookup, type CelResult, type CelValue, FAILED, isList, Unsigned } from "./cel-value.ts";
import type { LoggedCall } from "./logged-call.ts";

export type LogCondition = (call: LoggedCall) => boolean;

/** Loops are over what the filter itself lists, and may stand in each other. */
const MOST_TURNS = 10_000;

export function compileLogFilter({ tree }: LogFilter): LogCondition {
  if (tree === undefined) return () => false;
  const program = compile(tree, NO_VARIABLES);
  return (call) => program({ call, turns: { left: MOST_TURNS }, variables: NOTHING }) === true;
}

interface Scope {
  readonly call: LoggedCall;
  /** Shared by all scopes of one evaluation. */
  readonly turns: { left: number };
  readonly variables: ReadonlyMap<string, CelResult>;
}

type Program = (scope: Scope) => CelResult;

/** Names that loops around an expression have given to something. */
type Names = ReadonlySet<string>;

const NO_VARIABLES: Names = new Set();
const NOTHING: Scope["variables"] = new Map();

function compile(tree: CelTree, names: Names): Program {
  switch (tree.is) {
    case "constant": {
      const value = constantValue(tree);
      return () => value;
    }
    case "name":
      return compileName(tree.name, names);
    case "field":
    case "presence":
      return compileField(tree, names);
    case "list": {
      const items = tree.items.map((item) => compile(item, names));
      return (scope) => listOf(items, scope);
    }
    case "call":
      return compileCall(tree, names);
    case "fold":
      return compileFold(tree, names);
  }
}

function constantValue({ type, text }: CelTree & { readonly is: "constant" }): CelValue {
  switch (type) {
    case "null":
      return null;
    case "bool":
      return text === "true";
    case "int":
      return BigInt(text);
    case "uint":
      return new Unsigned(BigInt(text));
    case "double":
      return Number(text);
    case "string":
      return text;
  }
}

function compileName(name: string, names: Names): Program {
  if (names.has(name)) return ({ variables }) => variableOf(variables, name);
  if (EMPTY_SUBJECTS.has(name)) return () => EMPTY;
  if (!Object.hasOwn(LOG_ATTRIBUTES, name)) return () => FAILED;
  return ({ call }) =>
    new CelLookup((key) => {
      const attribute = logAttribute(name, key);
      return attribute && ATTRIBUTE_VALUES[attribute](call);
    });
}

function variableOf(variables: Scope["variables"], name: string): CelResult {
  const value = variables.get(name);
  return value === undefined ? FAILED : value;
}

const EMPTY = new CelLookup(() => undefined);

type FieldTree = CelTree & { readonly is: "field" | "presence" };

function compileField({ is, of, name }: FieldTree, names: Names): Program {
  const attribute =
    of.is === "name" && !names.has(of.name) ? logAttribute(of.name, name) : undefined;
  if (attribute !== undefined) {
    const value = ATTRIBUTE_VALUES[attribute];
    if (is === "presence") return ({ call }) => value(call) !== undefined;
    return ({ call }) => value(call) ?? FAILED;
  }
  const owner = compile(of, names);
  return (scope) => {
    const map = owner(scope);
    if (!(map instanceof CelLookup)) return FAILED;
    const found = map.get(name);
    return is === "presence" ? found !== undefined : (found ?? FAILED);
  };
}

function listOf(items: readonly Program[], scope: Scope): CelResult {
  const list: CelValue[] = [];
  for (const item of items) {
    const value = item(scope);
    if (value === FAILED) return FAILED;
    list.push(value);
  }
  return list;
}

function compileCall(tree: CelTree & { readonly is: "call" }, names: Names): Program {
  const { name } = tree;
  if (!isCelFunction(name)) return () => FAILED;
  const [one = NEVER, other = NEVER, third = NEVER] = tree.arguments.map((part) =>
    compile(part, names),
  );
  if (name === "matches") return compileMatch(one, tree.arguments[1]);
  if (isLazy(name)) return lazily(name, [one, other, third]);
  const called = STRICT_FUNCTIONS[name];
  const unary = tree.arguments.length === 1;
  const program: Program = (scope) => {
    const first = one(scope);
    if (first === FAILED) return FAILED;
    const second = unary ? null : other(scope);
    return second === FAILED ? FAILED : called(first, second);
  };
  return tree.arguments.every(({ is }) => is === "constant") ? folded(program) : program;
}

const NEVER: Program = () => FAILED;

/** What depends on no call is worked out once. */
function folded(program: Program): Program {
  const value = program({ call: NO_CALL, turns: { left: 0 }, variables: NOTHING });
  return () => value;
}

const NO_CALL = Object.freeze({}) as LoggedCall;

function compileMatch(subject: Program, pattern: CelTree | undefined): Program {
  const compiled = pattern?.is === "constant" ? linearPattern(pattern.text) : "";
  if (typeof compiled === "string") return NEVER;
  return (scope) => {
    const text = subject(scope);
    return typeof text === "string" ? (compiled(text) ?? FAILED) : FAILED;
  };
}

function isLazy(name: Exclude<CelFunction, CompiledFunction>): name is LazyFunction {
  return !Object.hasOwn(STRICT_FUNCTIONS, name);
}

function lazily(
  name: LazyFunction,
  [one, other, third]: readonly [Program, Program, Program],
): Program {
  switch (name) {
    case "_&&_":
      return (scope) => decidedBy(false, [one, other], scope);
    case "_||_":
      return (scope) => decidedBy(true, [one, other], scope);
    case "_?_:_":
      return (scope) => {
        const condition = one(scope);
        if (typeof condition !== "boolean") return FAILED;
        return condition ? other(scope) : third(scope);
      };
    case "@not_strictly_false":
      return (scope) => one(scope) !== false;
  }
}

/** Either side decides, whatever became of the other. */
function decidedBy(
  decisive: boolean,
  [one, other]: readonly [Program, Program],
  scope: Scope,
): CelResult {
  const first = one(scope);
  if (first === decisive) return decisive;
  const second = other(scope);
  if (second === decisive) return decisive;
  return first === !decisive && second === !decisive ? !decisive : FAILED;
}

function compileFold(tree: CelFold, names: Names): Program {
  const inside = new Set([...names, tree.variable, tree.result]);
  const range = compile(tree.range, names);
  const start = compile(tree.start, names);
  const condition = compile(tree.condition, inside);
  const step = compile(tree.step, inside);
  const end = compile(tree.end, inside);
  return (scope) => {
    const list = range(scope);
    if (!isList(list)) return FAILED;
    let result = start(scope);
    const within = (item?: CelValue): Scope => ({
      ...scope,
      variables: withVariables(scope.variables, tree, { item, result }),
    });
    for (const item of list) {
      if (--scope.turns.left < 0) return FAILED;
      const here = within(item);
      if (condition(here) === false) break;
      result = step(here);
    }
    return end(within());
  };
}

function withVariables(
  outer: Scope["variables"],
  { variable, result: resultName }: CelFold,
  { item, result }: { readonly item: CelValue | undefined; readonly result: CelResult },
): Scope["variables"] {
  const variables = new Map(outer).set(resultName, result);
  return item === undefined ? variables : variables.set(variable, item);
}
