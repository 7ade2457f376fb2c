import assert from "node:assert/strict";
import { test } from "node:test";
import { openGateway } from "../../test/kit/gateway-parts.ts";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { describeWorkload } from "../policy/describe-workload.ts";
import { formatGateway, formatRoutes } from "./format-gateway.ts";

const linesOf = (yaml: string, pod = "istio-ingress/ingress-0"): readonly string[] => {
  const snapshot = snapshotOf(openGateway + yaml);
  return formatGateway(describeWorkload(snapshot, workloadNamed(snapshot, pod)).gateway);
};

test("a workload that is no gateway says nothing of it; one without Gateways says so", () => {
  assert.deepEqual(linesOf("", "shop/api-0"), []);
  assert.deepEqual(linesOf(""), [
    "",
    "It is a gateway, and no Gateway selects it: it serves nothing.",
  ]);
});

test("ports, hosts and routes in the order they count, each with the line that says it", () => {
  const lines = linesOf(`
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: istio-ingress}
spec:
  selector: {istio: ingress}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [web.example.com], tls: {httpsRedirect: true}}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [web.example.com], tls: {mode: ISTIO_MUTUAL}}
  - {port: {number: 443, name: tls, protocol: TLS}, hosts: [db.example.com], tls: {mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web.example.com]
  gateways: [istio-ingress/edge]
  http:
  - match: [{uri: {prefix: /old}, method: {exact: GET}, headers: {x: {exact: a}}, withoutHeaders: {y: {}}}]
    redirect: {authority: new.example.com}
  - match: [{uri: {exact: /health}}]
    directResponse: {status: 204}
  - match: [{uri: {prefix: /v1/}}]
    rewrite: {uri: /}
    retries: {attempts: 0}
    route: [{destination: {host: api}}]
  - route: [{destination: {host: api}, weight: 3}, {destination: {host: api, subset: v2, port: {number: 9}}, weight: 1}]
    timeout: 2s`);
  assert.deepEqual(
    lines.map((line) => line.replace(/ \(mesh\.yaml:\d+\)/, "")),
    [
      "",
      "As a gateway it serves:",
      "  port 80 (8080 of the pod): HTTP, by Gateway istio-ingress/edge",
      "    web.example.com",
      "      everything is redirected to https",
      "  port 443 (8443 of the pod): HTTPS for web.example.com, with the mesh's certificates on both sides, by Gateway istio-ingress/edge",
      "    web.example.com",
      "      GET /old* with header x a and header y absent is redirected with 301 to host new.example.com, by VirtualService shop/web",
      "      /health is answered with 204, by VirtualService shop/web",
      "      /v1/* goes to api.shop.svc.cluster.local:8000, the matched path replaced by /, without retries, by VirtualService shop/web",
      "      everything goes to api.shop.svc.cluster.local:8000 (75 %) or api.shop.svc.cluster.local:9 subset v2 (25 %), within 2000 ms, by VirtualService shop/web",
      "  port 443 (8443 of the pod): TLS for db.example.com, passed on as it is, by Gateway istio-ingress/edge",
      "    no route: everything is refused",
    ],
  );
});

test("of several hosts the ones that no route is for are told", () => {
  const linesOfServer = (server: string): readonly string[] =>
    linesOf(`
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: istio-ingress}
spec: {selector: {istio: ingress}, servers: [{port: {number: 443, name: s, ${server}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [a.example.com, "*.example.org"]
  gateways: [istio-ingress/edge]
  http: [{route: [{destination: {host: api}}]}]`)
      .slice(3)
      .map((line) => line.replace(/ \(mesh\.yaml:\d+\)/, "").trim());
  const tls = "tls: {mode: ISTIO_MUTUAL}";
  const route = "everything goes to api.shop.svc.cluster.local:8000, by VirtualService shop/web";
  const names = '[a.example.com, b.example.com, "*.example.org"]';
  assert.deepEqual(linesOfServer(`protocol: HTTPS}, hosts: ${names}, ${tls}`), [
    "a.example.com, *.example.org",
    route,
    "b.example.com",
    "no route: requests are answered 404",
  ]);
  assert.deepEqual(linesOfServer(`protocol: HTTPS}, hosts: ["*"], ${tls}`), [
    "a.example.com, *.example.org",
    route,
  ]);
  const passing = "protocol: TLS}, hosts: [b.example.com], tls: {mode: AUTO_PASSTHROUGH}";
  assert.deepEqual(linesOfServer(passing), []);
});

test("a sidecar's routes are told, and where there are none, nothing", () => {
  const routesOf = (yaml: string): readonly string[] => {
    const snapshot = snapshotOf(openGateway + yaml);
    return formatRoutes(describeWorkload(snapshot, workloadNamed(snapshot, "shop/api-0")).routes);
  };
  assert.deepEqual(routesOf(""), []);
  const lines = routesOf(`
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [db.example.com]
  http: [{route: [{destination: {host: api}}]}]
  tcp: [{match: [{port: 5432}], route: [{destination: {host: api}}]}]`);
  assert.deepEqual(
    lines.map((line) => line.replace(/ \(mesh\.yaml:\d+\)/, "")),
    [
      "",
      "Its own calls are led by routes:",
      "    db.example.com",
      "      everything goes to api.shop.svc.cluster.local:8000, by VirtualService shop/web",
      "      connections to db.example.com on port 5432 go to api.shop.svc.cluster.local:8000, by VirtualService shop/web",
    ],
  );
});
