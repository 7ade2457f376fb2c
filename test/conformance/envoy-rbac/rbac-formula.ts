/** Envoy's permissions and principals as rules of AuthorizationPolicy: the same conditions, in disjunctive normal form. */
import type { WrittenRule } from "../policy-evaluation.ts";
import { istioTemplate } from "./istio-template.ts";
import { type EnvoyStringMatcher, patternOf } from "./string-pattern.ts";

/** One condition that a rule can have, or must not have. */
interface Literal {
  /** A key of `when`, or "paths", which is none. */
  readonly key: string;
  /** One of them must hold. */
  readonly values: readonly string[];
  readonly negated: boolean;
}

/** Alternatives, each a list of conditions that must all hold. */
type Clauses = readonly (readonly Literal[])[];

export type EnvoyCondition = Readonly<Record<string, unknown>>;

interface Range {
  readonly addressPrefix: string;
  readonly prefixLen?: number;
}

/** Without its end. */
interface PortRange {
  readonly start?: number;
  readonly end?: number;
}

interface HeaderMatcher {
  readonly name: string;
  readonly stringMatch?: EnvoyStringMatcher;
  readonly presentMatch?: boolean;
  readonly invertMatch?: boolean;
}

/**
 * The rules that match what all of the conditions match.
 *
 * @throws Error when one of them is not known
 */
export function rulesOf(
  conditions: readonly (readonly EnvoyCondition[])[],
): readonly WrittenRule[] {
  const alternatives = conditions.map((some) => some.flatMap((one) => clausesOf(one, "plain")));
  return product(alternatives).map(ruleOf);
}

/** Conditions that say something themselves, and have a form: see `literalOf`. */
const SAYABLE: ReadonlySet<string> = new Set([
  "any",
  "destinationPort",
  "destinationPortRange",
  "destinationIp",
  "directRemoteIp",
  "sourceIp",
  "remoteIp",
  "requestedServerName",
  "authenticated",
  "header",
  "urlPath",
  "uriTemplate",
]);

/** Whether every condition inside is of a kind that a policy can become. */
export function isSayable(condition: EnvoyCondition): boolean {
  return Object.entries(condition).every(([kind, value]) => {
    if (/^(and|or)(Rules|Ids)$/.test(kind)) return membersOf(value).every(isSayable);
    if (kind === "notRule" || kind === "notId") return isSayable(value as EnvoyCondition);
    return SAYABLE.has(kind);
  });
}

type Sense = "plain" | "negated";

function clausesOf(condition: EnvoyCondition, sense: Sense): Clauses {
  const [[kind, value] = ["nothing", undefined]] = Object.entries(condition);
  switch (kind) {
    case "any":
      return sense === "plain" ? [[]] : [];
    case "andRules":
    case "andIds":
      return sense === "plain" ? allOf(value, sense) : anyOf(value, sense);
    case "orRules":
    case "orIds":
      return sense === "plain" ? anyOf(value, sense) : allOf(value, sense);
    case "notRule":
    case "notId":
      return clausesOf(value as EnvoyCondition, sense === "plain" ? "negated" : "plain");
    case "requestedServerName":
      // Any name, and none, is no condition; `*` would demand one (AP-41).
      if (isAnyText(value as EnvoyStringMatcher)) return clausesOf({ any: true }, sense);
      return [[literalOf(kind, value, sense)]];
    default:
      return [[literalOf(kind, value, sense)]];
  }
}

function isAnyText({ safeRegex }: EnvoyStringMatcher): boolean {
  return safeRegex?.regex === ".*";
}

function membersOf(value: unknown): readonly EnvoyCondition[] {
  const { rules, ids } = value as Record<"rules" | "ids", readonly EnvoyCondition[] | undefined>;
  return rules ?? ids ?? [];
}

function anyOf(value: unknown, sense: Sense): Clauses {
  return membersOf(value).flatMap((each) => clausesOf(each, sense));
}

function allOf(value: unknown, sense: Sense): Clauses {
  return product(membersOf(value).map((each) => clausesOf(each, sense)));
}

function product(all: readonly Clauses[]): Clauses {
  return all.reduce<Clauses>(
    (sofar, next) => sofar.flatMap((left) => next.map((right) => [...left, ...right])),
    [[]],
  );
}

function literalOf(kind: string, value: unknown, sense: Sense): Literal {
  const negated = sense === "negated";
  switch (kind) {
    case "destinationPort":
      return { key: "destination.port", values: [String(value)], negated };
    case "destinationPortRange":
      return { key: "destination.port", values: portsIn(value as PortRange), negated };
    case "destinationIp":
      return { key: "destination.ip", values: [cidr(value as Range)], negated };
    case "directRemoteIp":
    case "sourceIp":
      return { key: "source.ip", values: [cidr(value as Range)], negated };
    case "remoteIp":
      return { key: "remote.ip", values: [cidr(value as Range)], negated };
    case "requestedServerName":
      return { key: "connection.sni", values: [patternOf(value as EnvoyStringMatcher)], negated };
    case "authenticated":
      return { key: "source.principal", values: [principalOf(value)], negated };
    case "header":
      return headerLiteral(value as HeaderMatcher, negated);
    case "urlPath": {
      const { path } = value as { readonly path: EnvoyStringMatcher };
      return { key: "paths", values: [patternOf(path)], negated };
    }
    case "uriTemplate":
      return { key: "paths", values: [templateOf(value)], negated };
    default:
      throw new Error(`a condition that is not known: ${kind}`);
  }
}

function cidr({ addressPrefix, prefixLen = 0 }: Range): string {
  return `${addressPrefix}/${prefixLen}`;
}

function portsIn({ start = 0, end = 0 }: PortRange): readonly string[] {
  return Array.from({ length: end - start }, (_, index) => String(start + index));
}

/** Without a name any identity will do. */
function principalOf(value: unknown): string {
  const { principalName } = value as { readonly principalName?: EnvoyStringMatcher };
  return principalName === undefined ? "*" : patternOf(principalName).replace(/^spiffe:\/\//, "");
}

function headerLiteral(
  { name, stringMatch, presentMatch = true, invertMatch = false }: HeaderMatcher,
  negated: boolean,
): Literal {
  const value = stringMatch === undefined ? "*" : patternOf(stringMatch);
  const absent = stringMatch === undefined && !presentMatch;
  return {
    key: `request.headers[${name}]`,
    values: [value],
    negated: [negated, invertMatch, absent].filter(Boolean).length % 2 === 1,
  };
}

function templateOf(value: unknown): string {
  const { typedConfig } = value as { readonly typedConfig: { readonly pathTemplate: string } };
  const template = istioTemplate(typedConfig.pathTemplate);
  if (template === undefined) throw new Error(`${typedConfig.pathTemplate} cannot be said`);
  return template;
}

/** @throws Error when two paths are demanded at once: of one field the values are alternatives */
function ruleOf(literals: readonly Literal[]): WrittenRule {
  const paths = literals.filter(({ key }) => key === "paths");
  const wanted = paths.filter(({ negated }) => !negated).map(({ values }) => values);
  if (wanted.length > 1) throw new Error("two paths at once cannot be said");
  const operation = {
    ...(wanted.length > 0 && { paths: wanted.flat() }),
    ...(paths.length > wanted.length && {
      notPaths: paths.filter(({ negated }) => negated).flatMap(({ values }) => values),
    }),
  };
  const when = literals.filter(({ key }) => key !== "paths").map(conditionOf);
  return { ...(paths.length > 0 && { to: [{ operation }] }), ...(when.length > 0 && { when }) };
}

function conditionOf({ key, values, negated }: Literal): unknown {
  return negated ? { key, notValues: values } : { key, values };
}
