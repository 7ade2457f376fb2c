/** Reads the part of a view that says which access logs are written. */
import { CEL_CONSTANT_TYPES, type CelTree } from "../api/cel-tree.ts";
import type { EffectiveTelemetry } from "../policy/workload-view.ts";
import {
  choice,
  type Decoder,
  list,
  object,
  objectWith,
  section,
  text,
  trueOnly,
  unexpected,
} from "./view-fields.ts";

const celConstant = object({
  is: choice(["constant"]),
  type: choice(CEL_CONSTANT_TYPES),
  text,
});
const celName = object({ is: choice(["name"]), name: text });
const celField = object({ is: choice(["field", "presence"]), of: celTree, name: text });
const celCall = object({ is: choice(["call"]), name: text, arguments: list(celTree) });
const celList = object({ is: choice(["list"]), items: list(celTree) });
const celFold = object({
  is: choice(["fold"]),
  variable: text,
  range: celTree,
  result: text,
  start: celTree,
  condition: celTree,
  step: celTree,
  end: celTree,
});

/** A function, since a tree has trees in it. */
function celTree(value: unknown, path: string): CelTree {
  switch (section(value, path)["is"]) {
    case "constant":
      return celConstant(value, path);
    case "name":
      return celName(value, path);
    case "field":
    case "presence":
      return celField(value, path);
    case "call":
      return celCall(value, path);
    case "list":
      return celList(value, path);
    case "fold":
      return celFold(value, path);
  }
  throw unexpected(path, "a part of an expression");
}

const accessLog = objectWith(
  {
    provider: text,
    path: text,
    format: objectWith(
      { encoding: choice(["TEXT", "JSON"]) },
      { template: text, omitEmpty: trueOnly },
    ),
  },
  { filter: objectWith({ expression: text }, { tree: celTree }), refusals: choice(["left out"]) },
);

export const effectiveTelemetry: Decoder<EffectiveTelemetry> = object({
  inbound: list(accessLog),
  outbound: list(accessLog),
});
