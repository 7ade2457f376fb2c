import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PathMatch } from "../../api/routing/http-match.ts";
import type { PathRewrite } from "../../api/routing/route-parts.ts";
import { normalizePath } from "../path-normalization.ts";
import { pickDestination } from "./pick-destination.ts";
import { climbs, httpsLocation, redirectLocation, rewrittenPath } from "./route-outcome.ts";
import type { HttpRoute, RedirectAction, RouteAction } from "./virtual-host.ts";

const route = (action: RouteAction, path?: PathMatch): HttpRoute => ({
  origin: {
    ref: { kind: "VirtualService", namespace: "a", name: "b" },
    source: { file: "f", line: 1 },
  },
  match: path === undefined ? {} : { path },
  action,
});
const rewriting = (path: PathRewrite, match?: PathMatch): HttpRoute =>
  route({ do: "forward", destinations: [], unresolved: 503, rewrite: { path } }, match);

const prefix = (text: string): PathRewrite => ({ do: "replace-prefix", prefix: text });
const rewrites: [match: PathMatch | undefined, rewrite: PathRewrite, path: string, to: string][] = [
  [undefined, prefix("/v2/"), "/x?q=1", "/v2/x?q=1"],
  [{ kind: "prefix", path: "/v1" }, prefix("/v2"), "/v1/x?q=1", "/v2/x?q=1"],
  [{ kind: "prefix", path: "/v1" }, prefix("/v2"), "/v1x", "/v2x"],
  [{ kind: "prefix", path: "/v1/" }, prefix("/"), "/v1/x", "/x"],
  [{ kind: "exact", path: "/v1" }, prefix("/v2"), "/v1?q", "/v2?q"],
  [{ kind: "pattern", pattern: "/v.*" }, prefix("/v2"), "/v1/x", "/v2"],
  [{ kind: "segments", path: "/v1" }, prefix("/v2"), "/v1", "/v2"],
  [{ kind: "segments", path: "/v1" }, prefix("/v2/"), "/v1/x", "/v2/x"],
  [{ kind: "segments", path: "/v1" }, prefix("/"), "/v1", "/"],
  [{ kind: "segments", path: "/v1" }, prefix(""), "/v1/x", "/x"],
  [{ kind: "segments", path: "" }, prefix("/v2"), "/x", "/v2/x"],
  [undefined, { do: "replace-path", path: "/a" }, "/x?q=1", "/a?q=1"],
  [undefined, { do: "replace-path", path: "/a?b" }, "/x?q=1", "/a?b"],
  [
    undefined,
    { do: "replace-pattern", pattern: "^/s/([^/]+)(/.*)$", substitution: "\\2/of/\\1" },
    "/s/a/b?q",
    "/b/of/a?q",
  ],
  [undefined, prefix("/v2"), "*", "*"],
  [
    undefined,
    { do: "replace-pattern", pattern: "^/(.*)$", substitution: "\\1" },
    "/http://evil.example/x",
    "/http://evil.example/x",
  ],
  [undefined, { do: "replace-path", path: "a" }, "/x", "/a"],
];
for (const [match, rewrite, path, to] of rewrites) {
  test(`${path} by ${match?.kind ?? "everything"} and ${rewrite.do} becomes ${to}`, () => {
    assert.equal(rewrittenPath(rewriting(rewrite, match), path), to);
  });
}

test("a path that takes too long to rewrite is not said", () => {
  const slow = rewriting({ do: "replace-pattern", pattern: "(a|b|ab)*c", substitution: "" });
  assert.equal(rewrittenPath(slow, `/${"ab".repeat(20_000)}`), undefined);
});

test("law: a rewriting that does not climb stays in its place, in whatever form it is read", () => {
  const pieces = ["/", ".", "..", "%2e", "%2F", "%5c", "\\\\", ";", "a", "%252e"];
  const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((all) => all.join(""));
  const place = rewriting(prefix("/files/"), { kind: "prefix", path: "/static" });
  let climbing = 0;
  fc.assert(
    fc.property(texts, (text) => {
      const judged = normalizePath(`/static${text}`, "BASE");
      if (!judged.startsWith("/static")) return;
      const rewritten = rewrittenPath(place, judged) ?? assert.fail("takes too long");
      if (climbs(rewritten)) climbing++;
      else
        assert.match(
          normalizePath(rewritten, "DECODE_AND_MERGE_SLASHES"),
          /^\/files(?:\/|$)/,
          judged,
        );
    }),
    { numRuns: 5_000 },
  );
  assert.ok(climbing > 0);
});

const request = { scheme: "http", authority: "a.example.com:8080", path: "/x?q" } as const;
const redirects: [action: Omit<RedirectAction, "do" | "status">, location: string][] = [
  [{}, "http://a.example.com:8080/x?q"],
  [{ scheme: "https" }, "https://a.example.com:8080/x?q"],
  [{ port: 9 }, "http://a.example.com:9/x?q"],
  [{ authority: "b.example.com" }, "http://b.example.com/x?q"],
  [{ authority: "b.example.com", port: 9, scheme: "https" }, "https://b.example.com:9/x?q"],
  [{ path: { do: "replace-path", path: "/y" } }, "http://a.example.com:8080/y?q"],
];
for (const [action, location] of redirects) {
  test(`redirected to ${location}`, () => {
    assert.equal(
      redirectLocation(route({ do: "redirect", status: 301, ...action }), request),
      location,
    );
  });
}

test("the usual port of a scheme that is left goes with it", () => {
  const toHttps = route({ do: "redirect", status: 301, scheme: "https" });
  const at80 = { scheme: "http", authority: "a:80", path: "/" } as const;
  assert.equal(redirectLocation(toHttps, at80), "https://a/");
  assert.equal(redirectLocation(toHttps, { ...at80, scheme: "https" }), "https://a:80/");
  assert.equal(httpsLocation(at80), "https://a/");
  assert.equal(httpsLocation({ authority: "a:8080", path: "/b?c" }), "https://a:8080/b?c");
});

test("law: destinations are picked in proportion to their weights", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }),
      (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const destinations = weights.map((weight, index) => ({ weight, index }));
        const counts = weights.map(() => 0);
        for (let step = 0; step < total; step++) {
          const picked = pickDestination(destinations, (step + 0.5) / total);
          if (picked !== undefined) counts[picked.index] = (counts[picked.index] ?? 0) + 1;
        }
        assert.deepEqual(counts, weights);
      },
    ),
  );
});

test("nobody is picked of nobody", () => assert.equal(pickDestination([], 0.5), undefined));
