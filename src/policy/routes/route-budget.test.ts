import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceOrigin } from "../decision.ts";
import { MOST_ROUTES, RouteBudget } from "./route-budget.ts";
import type { StreamRoute } from "./stream-route.ts";
import type { HttpRoute } from "./virtual-host.ts";

const origin = (namespace: string, name = "web"): ResourceOrigin => ({
  ref: { kind: "VirtualService", namespace, name },
  source: { file: "web.yaml", line: 1 },
});
/** Of so many characters: about a tenth of what a namespace may have. */
const headers = {
  request: { set: [{ name: "x", value: "x".repeat(MOST_ROUTES / 10 - 400) }], add: [], remove: [] },
};
const route = (namespace: string): HttpRoute => ({
  origin: origin(namespace),
  match: { path: { kind: "exact", path: "/" } },
  action: { do: "respond", status: 200 },
  headers,
});
const routes = (namespace: string, count: number): readonly HttpRoute[] =>
  Array.from({ length: count }, () => route(namespace));

test("of a namespace that has too many, a host has one answer, and others keep theirs", () => {
  const hosts = new RouteBudget().within([
    { domains: ["a"], routes: routes("greedy", 5) },
    { domains: ["b"], routes: [...routes("greedy", 6), ...routes("modest", 2)] },
    { domains: ["c"], routes: routes("greedy", 1) },
  ]);
  assert.deepEqual(
    hosts.map((host) => host.routes.length),
    [5, 3, 1],
  );
  const [first, , last] = hosts[1]?.routes ?? [];
  assert.equal(first?.origin.ref.namespace, "modest");
  assert.deepEqual(last?.match, {});
  assert.ok(last.action.do === "respond");
  assert.equal(last.action.status, 503);
  assert.equal(hosts[2]?.routes[0]?.headers, headers);
});

test("connections that go beyond are closed: at a gateway by no route, in a sidecar by one that leads nowhere", () => {
  const destinations = [{ host: "a".repeat(MOST_ROUTES / 5), port: 80, weight: 1 }];
  const streams = (more: Partial<StreamRoute>): readonly StreamRoute[] =>
    new RouteBudget().withinStreams(
      Array.from({ length: 6 }, () => ({ origin: origin("greedy"), destinations, ...more })),
    );
  assert.equal(streams({}).length, 4);
  const inSidecar = streams({ hosts: ["a"], port: 1 });
  assert.equal(inSidecar.length, 5);
  assert.deepEqual(inSidecar.at(-1), { origin: origin("greedy"), hosts: ["a"], destinations: [] });
});
