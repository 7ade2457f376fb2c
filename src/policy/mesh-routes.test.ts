import assert from "node:assert/strict";
import { test } from "node:test";
import { openGateway } from "../../test/kit/gateway-parts.ts";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView, buildWorkloadViews } from "./build-workload-view.ts";
import { compileRoutes } from "./routes/route-table.ts";
import { findStreamRoute } from "./routes/stream-table.ts";
import type { Outbound } from "./workload-view.ts";

const V2 = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api-v2, namespace: shop}
spec:
  selector: {matchLabels: {app: api, version: v2}}
  template:
    metadata: {labels: {app: api, version: v2}}
    spec: {containers: [{name: a, image: x, ports: [{name: web, containerPort: 7001}]}]}`;

const outboundOf = (yaml: string, pod = "shop/api-0"): Outbound => {
  const snapshot = snapshotOf(openGateway + V2 + yaml);
  return buildWorkloadView(snapshot, workloadNamed(snapshot, pod)).outbound;
};

const networking = (kind: string, name: string, spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: shop}
spec: ${spec}`;
const service = (spec: string, name = "vs"): string => networking("VirtualService", name, spec);
const ROUTE = "route: [{destination: {host: api, subset: v2}}]";
const SUBSETS = networking(
  "DestinationRule",
  "api",
  "{host: api, trafficPolicy: {loadBalancer: {simple: RANDOM}}, subsets: [{name: v2, labels: {version: v2}, trafficPolicy: {tls: {mode: DISABLE}}}, {name: all, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}]}",
);

test("without VirtualServices for sidecars there is nothing to route", () => {
  const elsewhere = service(`{hosts: [api], gateways: [edge], http: [{${ROUTE}}]}`);
  assert.deepEqual(Object.keys(outboundOf(elsewhere)), ["httpProxy", "destinations"]);
});

test("a service is routed by every form of its name, and by the rules for this client alone", () => {
  const { virtualHosts = [] } = outboundOf(
    service(
      `{hosts: [api], http: [{match: [{sourceLabels: {app: other}}], redirect: {uri: /never}}, {match: [{port: 8000}], ${ROUTE}}]}`,
    ),
  );
  assert.deepEqual(virtualHosts[0]?.domains, [
    "api.shop.svc.cluster.local",
    "api.shop.svc",
    "api.shop",
    "api",
  ]);
  const find = (port: number): unknown =>
    compileRoutes(virtualHosts)
      .hostOf("api:8000")
      ?.find({ method: "GET", path: "/", scheme: "http", port, header: () => undefined })?.action
      .do;
  assert.equal(find(8000), "forward");
  assert.equal(find(80), undefined);
});

test("a match may be for clients of one namespace; clients of a namespace share what does not ask for labels", () => {
  const yaml = service(
    `{hosts: [api], http: [{match: [{sourceNamespace: shop}], redirect: {uri: /shop}}, {${ROUTE}}]}`,
  );
  const firstOf = ({ virtualHosts = [] }: Outbound): unknown =>
    virtualHosts[0]?.routes.map(({ action }) => action.do);
  assert.deepEqual(firstOf(outboundOf(yaml)), ["redirect"]);
  assert.deepEqual(firstOf(outboundOf(yaml.replace("Namespace: shop", "Namespace: bank"))), [
    "forward",
  ]);
  const snapshot = snapshotOf(openGateway + V2 + yaml);
  const views = buildWorkloadViews(snapshot);
  const [one, two] = ["shop/api-0", "shop/api-v2-0"].map((name) => views.get(name)?.outbound);
  assert.equal(one?.virtualHosts, two?.virtualHosts);
  const asking = snapshotOf(
    openGateway +
      V2 +
      service(
        `{hosts: [api], http: [{match: [{sourceLabels: {version: v2}}], redirect: {uri: /v2}}, {${ROUTE}}]}`,
      ),
  );
  const apart = buildWorkloadViews(asking);
  assert.deepEqual(
    ["shop/api-0", "shop/api-v2-0"].map((name) =>
      firstOf(apart.get(name)?.outbound ?? { destinations: [] }),
    ),
    [["forward"], ["redirect"]],
  );
});

test("of several VirtualServices for a host the first counts; a gateway has none of them", () => {
  const both =
    service(`{hosts: [api], http: [{${ROUTE}}]}`, "a") +
    service("{hosts: [api], http: [{redirect: {uri: /b}}]}", "b");
  const { virtualHosts } = outboundOf(both);
  assert.deepEqual(
    virtualHosts?.map(({ routes }) => routes[0]?.origin.ref.name),
    ["a"],
  );
  assert.equal(outboundOf(both, "istio-ingress/ingress-0").virtualHosts, undefined);
});

test("a subset that a route names has the endpoints with its labels, and its own policy over the rule's", () => {
  const { subsets = [], destinations } = outboundOf(
    SUBSETS + service(`{hosts: [api], http: [{${ROUTE}}]}`),
  );
  const [v2, ...others] = subsets;
  assert.deepEqual(others, []);
  assert.deepEqual(
    v2?.endpoints.map(({ workload, mutualTls }) => [workload, mutualTls]),
    [["api-v2-0", false]],
  );
  assert.equal(v2.serverName, "outbound_.8000_.v2_.api.shop.svc.cluster.local");
  assert.equal(v2.trafficPolicy?.loadBalancing.algorithm, "RANDOM");
  assert.equal(v2.clientTls?.mode, "DISABLE");
  assert.equal(destinations.find(({ serviceName }) => serviceName === "api")?.endpoints.length, 2);
});

test("a subset without labels is all endpoints; one that no rule has is nobody", () => {
  const route = (subset: string): string =>
    service(`{hosts: [api], http: [{route: [{destination: {host: api, subset: ${subset}}}]}]}`);
  const { subsets } = outboundOf(SUBSETS + route("all"));
  assert.deepEqual(
    subsets?.map(({ endpoints, trafficPolicy }) => [
      endpoints.length,
      trafficPolicy?.loadBalancing.algorithm,
    ]),
    [[2, "ROUND_ROBIN"]],
  );
  assert.equal(outboundOf(SUBSETS + route("v9")).subsets, undefined);
});

test("connections are routed by the host that is called, their server name and port", () => {
  const { streamRoutes = [] } = outboundOf(
    service(
      "{hosts: [db.example.com], tls: [{match: [{port: 443, sniHosts: [db.example.com]}], route: [{destination: {host: api}}]}], tcp: [{match: [{port: 5432, destinationSubnets: [10.0.0.0/8]}], route: [{destination: {host: api, port: {number: 9}}}]}]}",
    ),
  );
  const way = (connection: Parameters<typeof findStreamRoute>[1]): unknown =>
    findStreamRoute(streamRoutes, { host: "db.example.com", ...connection })?.destinations[0]?.port;
  assert.equal(way({ serverName: "DB.example.com", port: 443 }), 8000);
  assert.equal(way({ serverName: "x.example.com", port: 443 }), undefined);
  assert.equal(way({ serverName: "db.example.com", port: 443, host: "x" }), undefined);
  assert.equal(way({ port: 5432, destinationAddress: "10.1.2.3" }), 9);
  assert.equal(way({ port: 5432, destinationAddress: "11.1.2.3" }), undefined);
  assert.equal(way({ port: 5432 }), undefined);
});
