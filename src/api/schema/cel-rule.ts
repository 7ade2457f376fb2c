/**
 * Runs the rules of schemas. A door to the CEL library, with what Kubernetes adds to the language or has stricter.
 * Source: https://kubernetes.io/docs/reference/using-api/cel/
 */
import {
  type CelFunc,
  type CelResult,
  CelScalar,
  celEnv,
  celFunc,
  celMethod,
  parse,
  plan,
} from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { requestUriScheme } from "../webhook/request-uri.ts";
import type { Rule } from "./rule.ts";

/** A value as rules see it: maps as `Map`, whole numbers as `bigint`. */
export type RuleValue =
  | string
  | number
  | bigint
  | boolean
  | readonly RuleValue[]
  | ReadonlyMap<string, RuleValue>;

/** Whether the rule holds of `self`; false also where it cannot be worked out, such as for a missing field. */
export function ruleHolds({ expression }: Rule, self: RuleValue): boolean {
  return compiled(expression)({ self }) === true;
}

type Program = (bindings: { readonly self: RuleValue }) => CelResult;

const programs = new Map<string, Program>();

function compiled(expression: string): Program {
  const known = programs.get(expression);
  if (known !== undefined) return known;
  const program = plan(environment, parse(expression));
  programs.set(expression, program);
  return program;
}

const { BOOL, INT, STRING } = CelScalar;

/** A URL is kept as its text: rules ask for nothing but the scheme. */
const KUBERNETES: CelFunc[] = [
  celFunc("isURL", [STRING], BOOL, (value) => requestUriScheme(value) !== undefined),
  celFunc("url", [STRING], STRING, (value) => {
    if (requestUriScheme(value) === undefined) throw new Error("is not a URL");
    return value;
  }),
  celMethod("getScheme", STRING, [], STRING, function () {
    return requestUriScheme(this) ?? "";
  }),
  // The library compiles the pattern anew each time; those of our rules JavaScript reads alike, in linear time.
  celMethod("matches", STRING, [STRING], BOOL, function (pattern) {
    return patternOf(pattern).test(this);
  }),
  // The library takes 0x50, spaces and "" for numbers; Go takes decimal digits with a sign.
  celFunc("int", [STRING], INT, (value) => {
    if (!/^[+-]?[0-9]+$/.test(value)) throw new Error("is not a whole number");
    return BigInt(value.replace(/^\+/, ""));
  }),
];

const patterns = new Map<string, RegExp>();

function patternOf(source: string): RegExp {
  const pattern = patterns.get(source) ?? new RegExp(source, "u");
  patterns.set(source, pattern);
  return pattern;
}

const environment = celEnv({
  variables: { self: CelScalar.DYN },
  funcs: [...strings, ...KUBERNETES],
});
