/** Routes in Envoy's words: what each part of a view's route becomes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HttpMatch } from "../../api/routing/http-match.ts";
import type { RouteAction } from "../../policy/routes/virtual-host.ts";
import type { EnvoyRoute, RouteMatch } from "../envoy-json.ts";
import { headerChanges } from "./header-changes.ts";
import { routeMatch } from "./route-match.ts";
import { envoyRoutes } from "./route-terms.ts";
import { usersHostOf } from "./virtual-hosts.ts";

const origin = {
  ref: { kind: "VirtualService", namespace: "shop", name: "cart" },
  source: { file: "mesh.yaml", line: 1 },
};
const CART = "cart.shop.svc.cluster.local";

function routed(action: RouteAction, match: HttpMatch = {}): readonly EnvoyRoute[] {
  const place = { calledPort: 8080, clusters: new Map() };
  return envoyRoutes({ origin, match, action }, place);
}

const MATCHES: readonly [HttpMatch, RouteMatch][] = [
  [{}, { prefix: "/" }],
  [{ path: { kind: "exact", path: "/a" } }, { path: "/a" }],
  [
    { path: { kind: "prefix", path: "/A", letterCase: "ignored" } },
    { prefix: "/A", caseSensitive: false },
  ],
  [{ path: { kind: "segments", path: "/a" } }, { pathSeparatedPrefix: "/a" }],
  [{ path: { kind: "segments", path: "" } }, { prefix: "/" }],
  [{ path: { kind: "pattern", pattern: "/a.*" } }, { safeRegex: { regex: "/a.*" } }],
  [
    { method: { kind: "exact", text: "GET" } },
    { prefix: "/", headers: [{ name: ":method", stringMatch: { exact: "GET" } }] },
  ],
  [
    { headers: [{ name: "host", value: "present" }] },
    { prefix: "/", headers: [{ name: ":authority", presentMatch: true }] },
  ],
  [
    { headers: [{ name: "x", value: "present", not: true }] },
    { prefix: "/", headers: [{ name: "x", presentMatch: true, invertMatch: true }] },
  ],
  [
    { headers: [{ name: "x", value: { kind: "prefix", text: "a" }, not: true }] },
    {
      prefix: "/",
      headers: [
        {
          name: "x",
          stringMatch: { prefix: "a" },
          invertMatch: true,
          treatMissingHeaderAsEmpty: true,
        },
      ],
    },
  ],
  [
    { queryParams: [{ name: "q", value: { kind: "exact", text: "1" } }] },
    { prefix: "/", queryParameters: [{ name: "q", stringMatch: { exact: "1" } }] },
  ],
];

for (const [match, expected] of MATCHES) {
  test(`${JSON.stringify(match)} is matched by Envoy's words`, () =>
    assert.deepEqual(routeMatch(match), expected));
}

test("JWT-68: a claim is a text or one of a list, where the filter of tokens leaves it", () => {
  const claims = [{ claim: ["group", "id"], value: { kind: "exact", text: "a" } }] as const;
  assert.deepEqual(routeMatch({ claims }).dynamicMetadata, [
    {
      filter: "envoy.filters.http.jwt_authn",
      path: [{ key: "payload" }, { key: "group" }, { key: "id" }],
      value: {
        orMatch: {
          valueMatchers: [
            { stringMatch: { exact: "a" } },
            { listMatch: { oneOf: { stringMatch: { exact: "a" } } } },
          ],
        },
      },
    },
  ]);
});

describe("forwarding", () => {
  const to = (more: object = {}) => ({ host: CART, port: 0, weight: 1, ...more });

  test("to the port that was called, without end, and not again", () => {
    const [route] = routed({ do: "forward", destinations: [to()], unresolved: 503 });
    assert.deepEqual(route?.route, {
      cluster: `outbound|8080||${CART}`,
      clusterNotFoundResponseCode: "SERVICE_UNAVAILABLE",
      timeout: "0s",
    });
  });

  test("by weight, where one share has nobody", () => {
    const destinations = [
      to({ weight: 3, subset: "v1" }),
      to({ weight: 1, problem: "no such service" }),
    ];
    const [route] = routed({ do: "forward", destinations, unresolved: 500 });
    assert.deepEqual(route?.route?.weightedClusters?.clusters, [
      { name: `outbound|8080|v1|${CART}`, weight: 3 },
      { name: "nobody", weight: 1 },
    ]);
    assert.equal(route?.route?.["clusterNotFoundResponseCode"], "INTERNAL_SERVER_ERROR");
  });

  test("to nobody is answered as its kind has it", () => {
    const [route] = routed({ do: "forward", destinations: [], unresolved: 500 });
    assert.deepEqual(route?.directResponse, { status: 500 });
  });

  test("a prefix of segments leaves one slash; one that is replaced by nothing leaves the root", () => {
    const rewritten = (prefix: string): unknown => {
      const action = {
        do: "forward",
        destinations: [to()],
        unresolved: 503,
        rewrite: { path: { do: "replace-prefix", prefix } },
      } as const;
      const [route] = routed(action, { path: { kind: "segments", path: "/foo.d" } });
      return route?.route?.["prefixRewrite"] ?? route?.route?.["regexRewrite"];
    };
    assert.equal(rewritten("/x/"), "/x");
    assert.equal(rewritten("/x"), "/x");
    assert.deepEqual(rewritten("/"), {
      pattern: { regex: "^/foo\\.d/?" },
      substitution: "/",
    });
  });

  test("what a prefix leaves over is guarded only where it could climb", () => {
    const count = (prefix: string, path: string): number =>
      routed(
        {
          do: "forward",
          destinations: [to()],
          unresolved: 503,
          rewrite: { path: { do: "replace-prefix", prefix } },
        },
        { path: { kind: "prefix", path } },
      ).length;
    assert.equal(count("/files/", "/static"), 2);
    assert.equal(count("/files/", "/static/"), 1);
    assert.equal(count("/files", "/static"), 1);
  });
});

test("headers: what is removed last is never added, and a percent sign is one", () => {
  const request = {
    set: [
      { name: "a", value: "100%" },
      { name: "b", value: "gone" },
    ],
    add: [{ name: "c", value: "" }],
    remove: ["b"],
  };
  const later = { set: [{ name: "b", value: "back" }], add: [], remove: [] };
  const overwrite = "OVERWRITE_IF_EXISTS_OR_ADD";
  assert.deepEqual(headerChanges([{ request }, { request: later }]), {
    requestHeadersToAdd: [
      { header: { key: "a", value: "100%%" }, appendAction: overwrite },
      {
        header: { key: "c", value: "" },
        appendAction: "APPEND_IF_EXISTS_OR_ADD",
        keepEmptyValue: true,
      },
      { header: { key: "b", value: "back" }, appendAction: overwrite },
    ],
    requestHeadersToRemove: ["b"],
  });
});

test("of users' hosts the most specific counts", () => {
  const hosts = ["*", "*.example.com", "*.api.example.com", "api.example.com"];
  const virtualHosts = hosts.map((domain) => ({ domains: [domain], routes: [] }));
  const found = (host: string): unknown =>
    usersHostOf(host, { destinations: [], virtualHosts })?.domains[0];
  assert.equal(found("api.example.com"), "api.example.com");
  assert.equal(found("v1.api.example.com"), "*.api.example.com");
  assert.equal(found("www.example.com"), "*.example.com");
  assert.equal(found("example.com"), "*");
});
