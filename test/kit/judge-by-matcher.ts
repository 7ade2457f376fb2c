/**
 * What Envoy's RBAC makes of a matcher (xds.type.matcher.v3.Matcher), by the rules that its trees follow since 1.40: what
 * finds nothing within goes on without, a prefix with the next shorter one. For tests that ask thousands of times.
 */
import { cidrContains, parseCidr, parseIpAddress } from "../../src/api/cidr.ts";
import type { TrafficFacts } from "./traffic-facts.ts";

export interface MatchedAction {
  readonly name: string;
  readonly verdict: "allowed" | "denied";
}

type Node = Readonly<Record<string, unknown>>;

/** An input that is not there at all leaves everything undecided: Envoy then denies. */
export class UndecidedError extends Error {}

/** @returns undefined where nothing matches: Envoy then denies */
export function judgeByMatcher(matcher: object, facts: TrafficFacts): MatchedAction | undefined {
  const { matcherList, matcherTree, onNoMatch } = matcher as Node;
  const found =
    matcherList === undefined
      ? matcherTree && ofTree(matcherTree as Node, facts)
      : ofList(field(matcherList, "matchers"), facts);
  if (isAction(found)) return found;
  return onNoMatch === undefined ? undefined : outcome(onNoMatch as Node, facts);
}

function isAction(found: unknown): found is MatchedAction {
  return typeof found === "object" && found !== null;
}

function outcome({ action, matcher }: Node, facts: TrafficFacts): MatchedAction | undefined {
  if (matcher !== undefined) return judgeByMatcher(matcher as object, facts);
  const { name, action: verdict = "ALLOW" } = field(action, "typedConfig") as Node;
  return { name: String(name), verdict: verdict === "DENY" ? "denied" : "allowed" };
}

function ofList(matchers: unknown, facts: TrafficFacts): MatchedAction | undefined {
  for (const { predicate, onMatch } of matchers as readonly Node[]) {
    const found = holds(predicate as Node, facts) ? outcome(onMatch as Node, facts) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function ofTree(
  { input, exactMatchMap, prefixMatchMap }: Node,
  facts: TrafficFacts,
): MatchedAction | undefined {
  const value = read(input as Node, facts);
  if (typeof value !== "string") return undefined;
  const map = field(exactMatchMap ?? prefixMatchMap, "map") as Record<string, Node>;
  const keys =
    exactMatchMap === undefined
      ? Object.keys(map).filter((key) => value.startsWith(key))
      : Object.keys(map).filter((key) => key === value);
  for (const key of keys.sort((a, b) => b.length - a.length)) {
    const found = outcome(map[key] ?? {}, facts);
    if (found !== undefined) return found;
  }
  return undefined;
}

function holds(predicate: Node, facts: TrafficFacts): boolean {
  const { andMatcher, orMatcher, notMatcher, singlePredicate } = predicate;
  if (andMatcher) return several(andMatcher).every((one) => holds(one, facts));
  if (orMatcher) return several(orMatcher).some((one) => holds(one, facts));
  if (notMatcher) return !holds(notMatcher as Node, facts);
  const { input, valueMatch, customMatch } = singlePredicate as Node;
  const value = read(input as Node, facts);
  if (customMatch !== undefined)
    return isCustomMatch(field(customMatch, "typedConfig") as Node, value);
  return typeof value === "string" && isTextMatch(valueMatch as Node, value);
}

function several(set: unknown): readonly Node[] {
  const predicates = field(set, "predicate") as readonly Node[];
  if (predicates.length < 2) throw new RangeError("Envoy takes no list of less than two");
  return predicates;
}

const TYPE = /[^./]+$/;

function read(input: Node, { connection, request }: TrafficFacts): unknown {
  const config = field(input, "typedConfig") as Node;
  switch (TYPE.exec(String(config["@type"]))?.[0]) {
    case "UriSanInput":
      if (connection.principal === undefined) throw new UndecidedError("no TLS, no URI");
      return connection.principal;
    case "DirectSourceIPInput":
      return connection.sourceAddress;
    case "SourceIPInput":
      return request?.remoteAddress ?? connection.sourceAddress;
    case "DestinationIPInput":
      return connection.destinationAddress;
    case "DestinationPortInput":
      return String(connection.destinationPort);
    case "ServerNameInput":
      return connection.serverName;
    case "HttpRequestHeaderMatchInput":
      return headerOf(String(config["headerName"]), request);
    case "DynamicMetadataInput":
      return (config["path"] as readonly { key: string }[])
        .slice(1)
        .reduce<unknown>((value, { key }) => (value as Node | undefined)?.[key], request?.token);
    default:
      throw new RangeError(`no input ${config["@type"]}`);
  }
}

function headerOf(name: string, request: TrafficFacts["request"]): string | undefined {
  if (request === undefined) throw new RangeError("connections have no headers to ask for");
  switch (name) {
    case ":path":
      return request.path;
    case ":method":
      return request.method;
    case ":authority":
      return request.authority;
    default:
      return request.headers[name];
  }
}

function isTextMatch(matcher: Node, value: string): boolean {
  const fold = (text: unknown): string =>
    matcher["ignoreCase"] ? lower(String(text)) : String(text);
  const text = fold(value);
  const { exact, prefix, suffix, contains, safeRegex } = matcher;
  if (exact !== undefined) return text === fold(exact);
  if (prefix !== undefined) return text.startsWith(fold(prefix));
  if (suffix !== undefined) return text.endsWith(fold(suffix));
  if (contains !== undefined) return text.includes(fold(contains));
  return re2(String(field(safeRegex, "regex"))).test(text);
}

function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const EXPRESSIONS = new Map<string, RegExp>();

/** Anchored at both ends; `\C` is any byte. */
function re2(expression: string): RegExp {
  const known = EXPRESSIONS.get(expression);
  if (known !== undefined) return known;
  const dotAll = expression.startsWith("(?s)");
  const body = (dotAll ? expression.slice(4) : expression).replaceAll("\\C", "[^]");
  const made = new RegExp(`^(?:${body})$`, dotAll ? "s" : "");
  EXPRESSIONS.set(expression, made);
  return made;
}

function isCustomMatch(config: Node, value: unknown): boolean {
  if (config["cidrRanges"] !== undefined) {
    const address = typeof value === "string" ? parseIpAddress(value) : undefined;
    return (
      address !== undefined &&
      (config["cidrRanges"] as readonly Node[]).some(({ addressPrefix, prefixLen }) => {
        const range = parseCidr(`${addressPrefix}/${prefixLen}`);
        return range !== undefined && cidrContains(range, address);
      })
    );
  }
  return isValueMatch(config["value"] as Node, value);
}

function isValueMatch({ stringMatch, listMatch, orMatch }: Node, value: unknown): boolean {
  if (stringMatch) return typeof value === "string" && isTextMatch(stringMatch as Node, value);
  if (listMatch) {
    const oneOf = field(listMatch, "oneOf") as Node;
    return Array.isArray(value) && value.some((one) => isValueMatch(oneOf, one));
  }
  const matchers = field(orMatch, "valueMatchers") as readonly Node[];
  return matchers.some((one) => isValueMatch(one, value));
}

function field(value: unknown, name: string): unknown {
  return (value as Node)[name];
}
