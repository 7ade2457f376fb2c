import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpMatch } from "../../api/routing/http-match.ts";
import { compileRoutes, hostNameOf } from "./route-table.ts";
import type { RoutedRequest } from "./routed-request.ts";
import type { HttpRoute } from "./virtual-host.ts";

const route = (match: HttpMatch, name = ""): HttpRoute => ({
  origin: {
    ref: { kind: "VirtualService", namespace: "a", name: "b" },
    source: { file: "f", line: 1 },
  },
  name,
  match,
  action: { do: "respond", status: 200 },
});

const asked = (more: Partial<RoutedRequest> = {}): RoutedRequest => ({
  method: "GET",
  path: "/",
  authority: "a.example.com",
  scheme: "https",
  header: () => undefined,
  ...more,
});

const withHeaders = (headers: Readonly<Record<string, string>>): Partial<RoutedRequest> => ({
  header: (name) => headers[name],
});

const isFound = (match: HttpMatch, request: Partial<RoutedRequest>): boolean =>
  compileRoutes([{ domains: ["*"], routes: [route(match)] }])
    .hostOf("any")
    ?.find(asked(request)) !== undefined;

const hosts = compileRoutes(
  ["*", "*.example.com", "*.b.example.com", "a.example.com", "*-x.org"].map((domain) => ({
    domains: [domain],
    routes: [],
  })),
);
const found: [authority: string | undefined, domain: string][] = [
  ["a.example.com", "a.example.com"],
  ["A.Example.COM:8443", "a.example.com"],
  ["c.example.com", "*.example.com"],
  ["c.d.example.com:80", "*.example.com"],
  ["c.b.example.com", "*.b.example.com"],
  ["b.example.com", "*.example.com"],
  [".example.com", "*"],
  ["example.com", "*"],
  ["example.com.evil.org", "*"],
  ["a-x.org", "*-x.org"],
  ["[::1]:80", "*"],
  ["::1", "*"],
  ["", "*"],
  [undefined, "*"],
];
for (const [authority, domain] of found) {
  test(`${authority} is served by ${domain}`, () => {
    assert.deepEqual(hosts.hostOf(authority)?.virtualHost.domains, [domain]);
  });
}

test("a host that nobody serves has no routes, and no others are asked", () => {
  const table = compileRoutes([{ domains: ["a.example.com"], routes: [route({})] }]);
  assert.equal(table.hostOf("b.example.com"), undefined);
  const stricter = compileRoutes([
    { domains: ["a.example.com"], routes: [route({ path: { kind: "exact", path: "/x" } })] },
    { domains: ["*"], routes: [route({})] },
  ]);
  assert.equal(stricter.hostOf("a.example.com")?.find(asked()), undefined);
});

const exact = (text: string) => ({ kind: "exact", text }) as const;
const matches: [
  what: string,
  match: HttpMatch,
  request: Partial<RoutedRequest>,
  expected: boolean,
][] = [
  ["anything", {}, {}, true],
  ["CONNECT without a path", {}, { path: undefined, method: "CONNECT" }, true],
  ["exact path", { path: { kind: "exact", path: "/a" } }, { path: "/a?b=c" }, true],
  ["exact path, not longer", { path: { kind: "exact", path: "/a" } }, { path: "/a/" }, false],
  ["prefix of the text", { path: { kind: "prefix", path: "/a" } }, { path: "/ab" }, true],
  ["prefix, not of the query", { path: { kind: "prefix", path: "/?a" } }, { path: "/?a" }, false],
  ["segments", { path: { kind: "segments", path: "/a" } }, { path: "/a/b" }, true],
  ["segments, whole", { path: { kind: "segments", path: "/a" } }, { path: "/ab" }, false],
  ["segments, itself", { path: { kind: "segments", path: "/a" } }, { path: "/a?x" }, true],
  ["segments of the root", { path: { kind: "segments", path: "" } }, { path: "/x" }, true],
  ["case counts", { path: { kind: "prefix", path: "/A" } }, { path: "/a" }, false],
  [
    "case ignored",
    { path: { kind: "exact", path: "/A", letterCase: "ignored" } },
    { path: "/a" },
    true,
  ],
  [
    "pattern of the whole path",
    { path: { kind: "pattern", pattern: "/v[0-9]" } },
    { path: "/v1?q" },
    true,
  ],
  [
    "pattern, not of a part",
    { path: { kind: "pattern", pattern: "/v[0-9]" } },
    { path: "/v1/x" },
    false,
  ],
  [
    "pattern with a choice",
    { path: { kind: "pattern", pattern: "/a|/b" } },
    { path: "/ba" },
    false,
  ],
  ["method", { method: exact("GET") }, {}, true],
  ["another method", { method: exact("get") }, {}, false],
  [
    "authority with its port",
    { authority: exact("a.example.com:1") },
    { authority: "a.example.com:1" },
    true,
  ],
  ["scheme", { scheme: exact("http") }, {}, false],
  ["port", { port: 80 }, { port: 80 }, true],
  ["another port", { port: 80 }, { port: 81 }, false],
  ["a port that is not known", { port: 80 }, {}, false],
  ["header", { headers: [{ name: "x", value: exact("1") }] }, withHeaders({ x: "1" }), true],
  ["header absent", { headers: [{ name: "x", value: exact("") }] }, {}, false],
  [
    "header of any value",
    { headers: [{ name: "x", value: "present" }] },
    withHeaders({ x: "" }),
    true,
  ],
  [
    "header that must not be there",
    { headers: [{ name: "x", value: "present", not: true }] },
    withHeaders({ x: "" }),
    false,
  ],
  ["header that is not there", { headers: [{ name: "x", value: "present", not: true }] }, {}, true],
  [
    "header other than",
    { headers: [{ name: "x", value: exact("1"), not: true }] },
    withHeaders({ x: "2" }),
    true,
  ],
  ["absent is other than", { headers: [{ name: "x", value: exact("1"), not: true }] }, {}, true],
  ["absent is empty", { headers: [{ name: "x", value: exact(""), not: true }] }, {}, false],
  ["pseudo header", { headers: [{ name: ":method", value: exact("GET") }] }, {}, true],
  ["parameter", { queryParams: [{ name: "a", value: exact("1") }] }, { path: "/?b=2&a=1" }, true],
  [
    "first parameter of a name",
    { queryParams: [{ name: "a", value: exact("1") }] },
    { path: "/?a=2&a=1" },
    false,
  ],
  [
    "parameter without value",
    { queryParams: [{ name: "a", value: exact("") }] },
    { path: "/?a&b" },
    true,
  ],
  [
    "parameter by a longer name",
    { queryParams: [{ name: "a", value: "present" }] },
    { path: "/?ab=1" },
    false,
  ],
  [
    "parameter in the path",
    { queryParams: [{ name: "a", value: "present" }] },
    { path: "/a=1" },
    false,
  ],
  [
    "claim",
    { claims: [{ claim: ["g", "id"], value: exact("1") }] },
    { token: { g: { id: "1" } } },
    true,
  ],
  [
    "claim of a list",
    { claims: [{ claim: ["g"], value: exact("b") }] },
    { token: { g: ["a", "b"] } },
    true,
  ],
  ["claim without token", { claims: [{ claim: ["g"], value: exact("b") }] }, {}, false],
  [
    "no such claim without token",
    { claims: [{ claim: ["g"], value: exact("b"), not: true }] },
    {},
    true,
  ],
  [
    "claim of Object's own",
    { claims: [{ claim: ["constructor", "name"], value: exact("Object") }] },
    { token: {} },
    false,
  ],
];
for (const [what, match, request, expected] of matches) {
  test(`match: ${what}`, () => assert.equal(isFound(match, request), expected));
}

test("a regular expression that takes too long matches nothing, and hides what comes after it", () => {
  const slow: HttpMatch = { path: { kind: "pattern", pattern: "(.*a){20}" } };
  const table = compileRoutes([{ domains: ["*"], routes: [route(slow), route({})] }]);
  assert.equal(table.hostOf("x")?.find(asked({ path: `/${"b".repeat(40_000)}` })), undefined);
  assert.notEqual(table.hostOf("x")?.find(asked({ path: "/b" })), undefined);
});

test("a host's name is without its port", () => {
  assert.deepEqual(["A:1", "a:", "a:b", "[::1]:1", "::1"].map(hostNameOf), [
    "a",
    "a",
    "a:b",
    "[::1]",
    "::1",
  ]);
});
