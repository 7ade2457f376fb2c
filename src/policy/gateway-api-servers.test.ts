import assert from "node:assert/strict";
import { test } from "node:test";
import { openGateway } from "../../test/kit/gateway-parts.ts";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import type { GatewayServer, GatewayView } from "./gateway-view.ts";
import { compileRoutes } from "./routes/route-table.ts";
import type { RoutedRequest } from "./routes/routed-request.ts";
import type { HttpRoute } from "./routes/virtual-host.ts";

const MADE_FOR_IT = openGateway.replaceAll(
  "istio: ingress}",
  "istio: ingress, gateway.networking.k8s.io/gateway-name: edge}",
);

const viewOf = (yaml: string, parts = MADE_FOR_IT): GatewayView => {
  const snapshot = snapshotOf(parts + yaml);
  const workload = workloadNamed(snapshot, "istio-ingress/ingress-0");
  return buildWorkloadView(snapshot, workload).gateway ?? assert.fail("no gateway");
};

const document = (
  kind: string,
  spec: string,
  { name = "edge", namespace = "istio-ingress" } = {},
): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}`;

const HTTP = "{name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}";
const gateway = (listeners = HTTP, more = ""): string =>
  document("Gateway", `{gatewayClassName: istio, listeners: [${listeners}]${more}}`);

const route = (
  rules: string,
  { parent = "namespace: istio-ingress", more = "", name = "web", namespace = "shop" } = {},
): string =>
  document("HTTPRoute", `{parentRefs: [{name: edge, ${parent}}]${more}, rules: [${rules}]}`, {
    name,
    namespace,
  });

const TO_API = "backendRefs: [{name: api, port: 8000}]";
const to = (name: string): string => `backendRefs: [{name: ${name}, port: 1}]`;

const found = (view: GatewayView, request: Partial<RoutedRequest> = {}): HttpRoute | undefined => {
  const [server] = view.listeners.flatMap(({ servers }): readonly GatewayServer[] => servers);
  if (server?.traffic.is !== "http") return undefined;
  const asked = { method: "GET", path: "/", authority: "web.example.com", ...request };
  return compileRoutes(server.traffic.virtualHosts)
    .hostOf(asked.authority)
    ?.find({ scheme: "http", header: () => undefined, ...asked });
};
const wayOf = (view: GatewayView, request?: Partial<RoutedRequest>): string => {
  const action = found(view, request)?.action;
  if (action?.do !== "forward") return action?.do ?? "none";
  return action.destinations.map(({ host, problem }) => problem ?? host.split(".")[0]).join(" ");
};

const selection: [what: string, yaml: string, way: string][] = [
  ["a route that is let in", gateway() + route(`{${TO_API}}`), "api"],
  ["another class", gateway().replace("istio,", "nginx,") + route(`{${TO_API}}`), "none"],
  ["our own class", gateway().replace("istio,", "hauberk,") + route(`{${TO_API}}`), "api"],
  [
    "a class of Istio's controller",
    gateway().replace("istio,", "front,") +
      route(`{${TO_API}}`) +
      "\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: front}\nspec: {controllerName: istio.io/gateway-controller}",
    "api",
  ],
  [
    "a route of another namespace, from Same",
    gateway().replace("All", "Same") + route(`{${TO_API}}`),
    "none",
  ],
  [
    "a namespace that is selected",
    gateway(
      HTTP.replace(
        "from: All",
        "from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: shop}}",
      ),
    ) + route(`{${TO_API}}`),
    "api",
  ],
  [
    "a namespace that is not selected",
    gateway(HTTP.replace("from: All", "from: Selector, selector: {matchLabels: {a: b}}")) +
      route(`{${TO_API}}`),
    "none",
  ],
  [
    "a namespace that says it has the name of one that is selected",
    gateway(
      HTTP.replace(
        "from: All",
        "from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: other}}",
      ),
    ) +
      "\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {kubernetes.io/metadata.name: other}}}" +
      route(`{${TO_API}}`),
    "none",
  ],
  [
    "a parent in its own namespace",
    gateway() + route(`{${TO_API}}`, { parent: "port: 80" }),
    "none",
  ],
  [
    "a listener by name",
    gateway() + route(`{${TO_API}}`, { parent: "namespace: istio-ingress, sectionName: web" }),
    "api",
  ],
  [
    "another listener",
    gateway() + route(`{${TO_API}}`, { parent: "namespace: istio-ingress, sectionName: b" }),
    "none",
  ],
  [
    "another port",
    gateway() + route(`{${TO_API}}`, { parent: "namespace: istio-ingress, port: 81" }),
    "none",
  ],
  [
    "its hosts",
    gateway() + route(`{${TO_API}}`, { more: ", hostnames: [web.example.com]" }),
    "api",
  ],
  [
    "other hosts",
    gateway() + route(`{${TO_API}}`, { more: ", hostnames: [b.example.com]" }),
    "none",
  ],
  [
    "the listener's host",
    gateway(HTTP.replace("{name", "{hostname: '*.example.com', name")) + route(`{${TO_API}}`),
    "api",
  ],
  [
    "another host of the listener",
    gateway(HTTP.replace("{name", "{hostname: '*.example.org', name")) + route(`{${TO_API}}`),
    "none",
  ],
  [
    "another kind of route",
    gateway(HTTP.replace("allowedRoutes: {", "allowedRoutes: {kinds: [{kind: GRPCRoute}], ")) +
      route(`{${TO_API}}`),
    "none",
  ],
  [
    "no rules",
    gateway() +
      document("HTTPRoute", "{parentRefs: [{name: edge, namespace: istio-ingress}]}", {
        name: "web",
        namespace: "shop",
      }),
    "",
  ],
  [
    "backends without weight",
    gateway() +
      route("{backendRefs: [{name: api, port: 1, weight: 0}, {name: b, port: 1, weight: 3}]}"),
    "b",
  ],
  [
    "a backend elsewhere, not granted",
    gateway() + route("{backendRefs: [{name: x, namespace: bank, port: 1}]}"),
    "no ReferenceGrant in bank lets HTTPRoutes of shop name its Service x",
  ],
  [
    "a backend elsewhere, granted",
    gateway() +
      route("{backendRefs: [{name: x, namespace: bank, port: 1}]}") +
      document(
        "ReferenceGrant",
        '{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service}]}',
        { name: "g", namespace: "bank" },
      ),
    "x",
  ],
  [
    "a backend of another kind",
    gateway() + route("{backendRefs: [{kind: Bucket, group: example.com, name: x}]}"),
    "Bucket x is no Service",
  ],
];
for (const [what, yaml, way] of selection) {
  test(`${what}: ${way}`, () => assert.equal(wayOf(viewOf(yaml)), way));
}

test("only pods that are made for a Gateway serve it, or those behind the Service that it names", () => {
  assert.deepEqual(viewOf(gateway() + route(`{${TO_API}}`), openGateway).listeners, []);
  const addresses =
    ", addresses: [{type: Hostname, value: ingress.istio-ingress.svc.cluster.local}]";
  const view = viewOf(gateway(HTTP, addresses) + route(`{${TO_API}}`), openGateway);
  assert.equal(wayOf(view), "api");
  assert.equal(view.listeners[0]?.containerPort, 8080);
});

const precedence: [what: string, request: Partial<RoutedRequest>, way: string][] = [
  ["exact", { path: "/a/b" }, "exact"],
  ["the longest prefix", { path: "/a/b/c" }, "long"],
  ["a shorter prefix", { path: "/a/c" }, "short"],
  ["whole segments only", { path: "/ab" }, "any"],
  ["a method", { path: "/a/c", method: "POST" }, "method"],
  ["a header", { path: "/a/c", header: (name) => (name === "x" ? "1" : undefined) }, "header"],
  ["everything else", { path: "/" }, "any"],
];
const SPECIFIC =
  gateway() +
  route(
    [
      `{${to("any")}}`,
      `{matches: [{path: {value: /a}}], ${to("short")}}`,
      `{matches: [{path: {value: /a}, headers: [{name: X, value: '1'}]}], ${to("header")}}`,
      `{matches: [{path: {value: /a}, method: POST}], ${to("method")}}`,
    ].join(", "),
  ) +
  route(
    `{matches: [{path: {type: Exact, value: /a/b}}], ${to("exact")}}, {matches: [{path: {value: /a/b/}}], ${to("long")}}`,
    { name: "b" },
  );
for (const [what, request, way] of precedence) {
  test(`precedence: ${what}`, () => assert.equal(wayOf(viewOf(SPECIFIC), request), way));
}

test("filters and timeouts become what a VirtualService would say", () => {
  const view = viewOf(
    gateway() +
      route(
        `{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: b}], remove: [C]}}, {type: URLRewrite, urlRewrite: {hostname: b.example.com, path: {type: ReplacePrefixMatch, replacePrefixMatch: /v2}}}], matches: [{path: {value: /v1}}], timeouts: {request: 10s, backendRequest: 2s}, ${TO_API}}`,
      ),
  );
  const { headers, action } = found(view, { path: "/v1/x" }) ?? assert.fail("no route");
  assert.deepEqual(headers, {
    request: { set: [{ name: "x-a", value: "b" }], add: [], remove: ["c"] },
  });
  assert.ok(action.do === "forward");
  assert.deepEqual(action.rewrite, {
    path: { do: "replace-prefix", prefix: "/v2" },
    authority: "b.example.com",
  });
  assert.deepEqual([action.timeoutMs, action.retries?.perTryTimeoutMs], [10_000, 2_000]);
  assert.equal(action.unresolved, 500);
});

const HTTPS =
  "{name: tls, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert, namespace: bank}]}}";
const grant = (to: string): string =>
  document(
    "ReferenceGrant",
    `{from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: istio-ingress}], to: [${to}]}`,
    { name: "g", namespace: "bank" },
  );
const granted: [what: string, yaml: string, problem: string][] = [
  [
    "no grant",
    "",
    'certificateRefs: no ReferenceGrant in bank lets Gateways of istio-ingress name its Secret "cert"',
  ],
  [
    "a grant of another name",
    grant('{group: "", kind: Secret, name: other}'),
    'certificateRefs: no ReferenceGrant in bank lets Gateways of istio-ingress name its Secret "cert"',
  ],
  [
    "a grant of another kind",
    grant('{group: "", kind: Service}'),
    'certificateRefs: no ReferenceGrant in bank lets Gateways of istio-ingress name its Secret "cert"',
  ],
  ["a grant", grant('{group: "", kind: Secret}'), "Secret bank/cert is not there"],
];
for (const [what, yaml, problem] of granted) {
  test(`a Secret of another namespace with ${what}`, () => {
    const [listener] = viewOf(gateway(HTTPS) + yaml).listeners;
    assert.equal(listener?.servers[0]?.tls?.problem, problem);
  });
}
