/** The matcher of a route's whole condition. What costs least is asked first. */

import type { ClaimMatch, HttpMatch, NamedMatch, PathMatch } from "../../api/routing/http-match.ts";
import { foldAscii } from "../../api/string-match.ts";
import type { TokenPayload } from "../traffic.ts";
import { compileTextMatch, compileWholePattern, type TextTest } from "./compile-text-match.ts";
import { queryParamOf, type RoutedRequest } from "./routed-request.ts";

/**
 * @param pathname of the request, without query
 * @returns undefined where it cannot be decided in time
 */
export type RequestTest = (request: RoutedRequest, pathname: string) => boolean | undefined;

export function compileMatch(match: HttpMatch): RequestTest {
  const {
    port,
    path,
    method,
    scheme,
    authority,
    headers = [],
    queryParams = [],
    claims = [],
  } = match;
  const tests: readonly RequestTest[] = [
    ...(port === undefined ? [] : [isOnPort(port)]),
    ...(path === undefined ? [] : [compilePath(path)]),
    ...(method === undefined ? [] : [textTest(compileTextMatch(method), ":method")]),
    ...(scheme === undefined ? [] : [textTest(compileTextMatch(scheme), ":scheme")]),
    ...(authority === undefined ? [] : [textTest(compileTextMatch(authority), ":authority")]),
    ...headers.map(compileHeader),
    ...queryParams.map(compileQueryParam),
    ...claims.map(compileClaim),
  ];
  const [only, ...others] = tests;
  if (only === undefined) return () => true;
  return others.length === 0 ? only : allOf(tests);
}

function allOf(tests: readonly RequestTest[]): RequestTest {
  return (request, pathname) => {
    for (const test of tests) {
      const held = test(request, pathname);
      if (held !== true) return held;
    }
    return true;
  };
}

function isOnPort(port: number): RequestTest {
  return (request) => request.port === port;
}

function compilePath(path: PathMatch): RequestTest {
  if (path.kind === "pattern") {
    const test = compileWholePattern(path.pattern);
    return (_request, pathname) => test(pathname);
  }
  const folded = path.letterCase === "ignored";
  const test = compilePathText({
    kind: path.kind,
    path: folded ? foldAscii(path.path) : path.path,
  });
  return folded ? (_request, pathname) => test(foldAscii(pathname)) : (_request, it) => test(it);
}

function compilePathText({
  kind,
  path,
}: {
  readonly kind: "exact" | "prefix" | "segments";
  readonly path: string;
}): (pathname: string) => boolean {
  if (kind === "exact") return (pathname) => pathname === path;
  if (kind === "prefix") return (pathname) => pathname.startsWith(path);
  return (pathname) =>
    pathname.startsWith(path) &&
    (pathname.length === path.length || pathname.charCodeAt(path.length) === SLASH);
}

const SLASH = 47;

type Attribute = (request: RoutedRequest) => string | undefined;
const PSEUDO_HEADERS: ReadonlyMap<string, Attribute> = new Map<string, Attribute>([
  [":method", ({ method }) => method],
  [":scheme", ({ scheme }) => scheme],
  [":authority", ({ authority }) => authority],
  ["host", ({ authority }) => authority],
  [":path", ({ path }) => path],
]);

function attributeNamed(name: string): Attribute {
  return PSEUDO_HEADERS.get(name) ?? ((request) => request.header(name));
}

function textTest(test: TextTest, name: string): RequestTest {
  const attribute = attributeNamed(name);
  return (request) => {
    const value = attribute(request);
    return value === undefined ? false : test(value);
  };
}

/** What a request must not have is taken for empty where it is absent. */
function compileHeader({ name, value, not }: NamedMatch): RequestTest {
  const attribute = attributeNamed(name);
  const test = compileTextMatch(value);
  if (not !== true) return textTest(test, name);
  if (value === "present") return (request) => attribute(request) === undefined;
  return (request) => inverse(test(attribute(request) ?? ""));
}

function compileQueryParam({ name, value, not }: NamedMatch): RequestTest {
  const test = compileTextMatch(value);
  const held: RequestTest = ({ path }) => {
    const param = path === undefined ? undefined : queryParamOf(path, name);
    return param === undefined ? false : test(param);
  };
  return not === true ? (request, pathname) => inverse(held(request, pathname)) : held;
}

/** A text, or one text of a list; without token, or claim, nothing matches. */
function compileClaim({ claim, value, not }: ClaimMatch): RequestTest {
  const test = compileTextMatch(value);
  const held: RequestTest = ({ token }) => {
    const found = token === undefined ? undefined : claimOf(token, claim);
    if (typeof found === "string") return test(found);
    return Array.isArray(found) ? anyOf(found, test) : false;
  };
  return not === true ? (request, pathname) => inverse(held(request, pathname)) : held;
}

function anyOf(items: readonly unknown[], test: TextTest): boolean | undefined {
  let held: boolean | undefined = false;
  for (const item of items) {
    const one = typeof item === "string" ? test(item) : false;
    if (one === true) return true;
    if (one === undefined) held = undefined;
  }
  return held;
}

function claimOf(token: TokenPayload, claim: readonly string[]): unknown {
  let at: unknown = token;
  for (const name of claim) at = isPlainMap(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return at;
}

function isPlainMap(value: unknown): value is TokenPayload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function inverse(held: boolean | undefined): boolean | undefined {
  return held === undefined ? undefined : !held;
}
