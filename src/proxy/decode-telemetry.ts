/** Reads the part of a view that says which access logs are written, and which spans are sent. */
import { CEL_CONSTANT_TYPES, type CelTree } from "../api/cel-tree.ts";
import type { EffectiveTelemetry, SpanTag } from "../policy/workload-view.ts";
import {
  choice,
  type Decoder,
  integer,
  list,
  mapOfTexts,
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

const portNumber = integer(1, 65_535);
const count = integer(0, Number.MAX_SAFE_INTEGER);
const literalTag = object({ name: text, value: text });
const headerTag = object({ name: text, header: text, defaultValue: text });
const templateTag = object({ name: text, template: text });

function spanTag(value: unknown, path: string): SpanTag {
  const given = section(value, path);
  if ("header" in given) return headerTag(value, path);
  return "template" in given ? templateTag(value, path) : literalTag(value, path);
}

const collector = objectWith(
  {
    provider: text,
    host: text,
    port: portNumber,
    protocol: choice(["grpc", "http"]),
    path: text,
    timeoutMs: integer(1, Number.MAX_SAFE_INTEGER),
    headers: mapOfTexts,
  },
  { namespace: text },
);

const sideTracing = object({
  collector,
  serviceName: text,
  sampledOf10000: integer(0, 10_000),
  sampledBy: choice(["request id", "chance"]),
  propagation: choice(["on", "off"]),
  maxPathLength: count,
  tags: list(spanTag),
});

const tracing = objectWith(
  { operations: list(object({ containerPort: portNumber, name: text })) },
  { inbound: sideTracing, outbound: sideTracing },
);

export const effectiveTelemetry: Decoder<EffectiveTelemetry> = objectWith(
  { inbound: list(accessLog), outbound: list(accessLog) },
  { tracing },
);
