/** A CEL expression as plain data, so that a sidecar can evaluate it without a parser: what `log-filter.ts` makes of its text. */

export const CEL_CONSTANT_TYPES = ["null", "bool", "int", "uint", "double", "string"] as const;

export type CelTree =
  | {
      readonly is: "constant";
      readonly type: (typeof CEL_CONSTANT_TYPES)[number];
      /** As text, since JSON has no 64-bit integers. */
      readonly text: string;
    }
  | { readonly is: "name"; readonly name: string }
  | { readonly is: "field" | "presence"; readonly of: CelTree; readonly name: string }
  /** What a method is called on is its first argument. */
  | { readonly is: "call"; readonly name: string; readonly arguments: readonly CelTree[] }
  | { readonly is: "list"; readonly items: readonly CelTree[] }
  | CelFold;

/** What macros such as `exists` become: a loop over a list. */
export interface CelFold {
  readonly is: "fold";
  readonly variable: string;
  readonly range: CelTree;
  readonly result: string;
  readonly start: CelTree;
  readonly condition: CelTree;
  readonly step: CelTree;
  readonly end: CelTree;
}

/** Those that sidecars know, beside the macros, with how many arguments each has. */
export const CEL_FUNCTIONS = {
  "_&&_": 2,
  "_||_": 2,
  "!_": 1,
  "_?_:_": 3,
  "_==_": 2,
  "_!=_": 2,
  "_<_": 2,
  "_<=_": 2,
  "_>_": 2,
  "_>=_": 2,
  "@in": 2,
  "_[_]": 2,
  "_+_": 2,
  "_-_": 2,
  "_*_": 2,
  "_/_": 2,
  "_%_": 2,
  "-_": 1,
  contains: 2,
  startsWith: 2,
  endsWith: 2,
  matches: 2,
  size: 1,
  int: 1,
  string: 1,
  double: 1,
  duration: 1,
  timestamp: 1,
  "@not_strictly_false": 1,
} as const;
export type CelFunction = keyof typeof CEL_FUNCTIONS;

export function isCelFunction(name: string): name is CelFunction {
  return Object.hasOwn(CEL_FUNCTIONS, name);
}

/** Every part of a tree, the tree itself first. */
export function* partsOf(tree: CelTree): Generator<CelTree> {
  yield tree;
  for (const part of childrenOf(tree)) yield* partsOf(part);
}

function childrenOf(tree: CelTree): readonly CelTree[] {
  switch (tree.is) {
    case "constant":
    case "name":
      return [];
    case "field":
    case "presence":
      return [tree.of];
    case "call":
      return tree.arguments;
    case "list":
      return tree.items;
    case "fold":
      return [tree.range, tree.start, tree.condition, tree.step, tree.end];
  }
}
