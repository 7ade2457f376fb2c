import assert from "node:assert/strict";
import { test } from "node:test";
import type { EnvoyRoute } from "../envoy-json.ts";
import { proxylessRoute } from "./proxyless-routes.ts";

const KNOWN = new Set(["a", "b"]);
const TO_A = { route: { cluster: "a" } };

function made(route: EnvoyRoute): EnvoyRoute | undefined {
  const [only, ...others] = proxylessRoute({ match: { prefix: "/" }, ...route }, KNOWN);
  assert.deepEqual(others, []);
  return only;
}

for (const [what, match] of [
  ["a query", { prefix: "/", queryParameters: [{ name: "a" }] }],
  ["claims", { prefix: "/", dynamicMetadata: [{}] }],
  ["CONNECT", { connectMatcher: {} }],
] as const) {
  test(`a route that demands ${what} is left out: no call of gRPC's has it`, () => {
    assert.equal(made({ match, ...TO_A }), undefined);
  });
}

for (const [written, match, expected] of [
  ["a path", { path: "/a.B/C" }, { path: "/a.B/C" }],
  ["its beginning", { prefix: "/a.B/" }, { prefix: "/a.B/" }],
  ["parts of it", { pathSeparatedPrefix: "/a.B" }, { safeRegex: { regex: "/a\\.B(?:/.*)?" } }],
  [
    "parts in any case",
    { pathSeparatedPrefix: "/a", caseSensitive: false },
    { safeRegex: { regex: "(?i)/a(?:/.*)?" } },
  ],
  ["alternatives", { safeRegex: { regex: "/a|/b" } }, { safeRegex: { regex: "(?:/a|/b)" } }],
] as const) {
  test(`${written}: matched as gRPC knows to`, () => {
    assert.deepEqual(made({ match, ...TO_A })?.match, expected);
  });
}

for (const [what, route, expected] of [
  ["an own answer", { directResponse: { status: 200 } }, { cluster: "BlackHoleCluster" }],
  ["a redirect", { redirect: {} }, { cluster: "BlackHoleCluster" }],
  ["an unknown callee", { route: { cluster: "c" } }, { cluster: "BlackHoleCluster" }],
  [
    "a share of an unknown callee",
    {
      route: {
        weightedClusters: {
          clusters: [
            { name: "a", weight: 1 },
            { name: "c", weight: 3 },
          ],
        },
      },
    },
    {
      weightedClusters: {
        clusters: [
          { name: "a", weight: 1 },
          { name: "BlackHoleCluster", weight: 3 },
        ],
      },
    },
  ],
  [
    "shares of nothing",
    { route: { weightedClusters: { clusters: [{ name: "a", weight: 0 }] } } },
    { cluster: "BlackHoleCluster" },
  ],
  ["no end", { route: { cluster: "a", timeout: "0s" } }, { cluster: "a" }],
  [
    "a timeout",
    { route: { cluster: "a", timeout: "2s" } },
    { cluster: "a", maxStreamDuration: { maxStreamDuration: "2s" } },
  ],
  ["no retries", { route: { cluster: "a", retryPolicy: { numRetries: 0 } } }, { cluster: "a" }],
  [
    "retries",
    {
      route: { cluster: "a", retryPolicy: { retryOn: "5xx", numRetries: 2, perTryTimeout: "1s" } },
    },
    { cluster: "a", retryPolicy: { retryOn: "5xx", numRetries: 2 } },
  ],
  ["another host", { route: { cluster: "a", hostRewriteLiteral: "b" } }, { cluster: "a" }],
] as const satisfies readonly (readonly [string, EnvoyRoute, object])[]) {
  test(`${what}: gRPC is told what it takes, and nobody else is called`, () => {
    assert.deepEqual(made(route)?.route, expected);
  });
}
