import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openGateway } from "../../test/kit/gateway-parts.ts";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import type { GatewayServer, GatewayView } from "./gateway-view.ts";
import { gatewayServerFor } from "./routes/gateway-server-for.ts";
import { compileRoutes } from "./routes/route-table.ts";

const viewOf = (yaml: string): GatewayView => {
  const snapshot = snapshotOf(openGateway + yaml);
  const workload = workloadNamed(snapshot, "istio-ingress/ingress-0");
  return buildWorkloadView(snapshot, workload).gateway ?? assert.fail("no gateway");
};

const gateway = (
  servers: string,
  { namespace = "istio-ingress", name = "edge", selector = "istio: ingress" } = {},
): string => `
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ${name}, namespace: ${namespace}}
spec: {selector: {${selector}}, servers: [${servers}]}`;

const http = (hosts: string, more = ""): string =>
  `{port: {number: 80, name: http, protocol: HTTP}, hosts: [${hosts}]${more}}`;

const virtualService = (
  spec: string,
  {
    name = "web",
    namespace = "shop",
  }: { readonly name?: string; readonly namespace?: string } = {},
): string => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}`;

const to = (host: string, more = ""): string => `route: [{destination: {host: ${host}${more}}}]`;

const serversOf = (view: GatewayView): readonly GatewayServer[] =>
  view.listeners.flatMap(({ servers }) => servers);

const domainsOf = (view: GatewayView): readonly string[] =>
  serversOf(view).flatMap(({ traffic }) =>
    traffic.is === "http" ? traffic.virtualHosts.flatMap(({ domains }) => domains) : [],
  );

/** Host and port of where a request is forwarded; "none" where no route is for it. */
const wayOf = (view: GatewayView, authority: string, path = "/"): string => {
  const [server] = serversOf(view);
  if (server?.traffic.is !== "http") return "none";
  const route = compileRoutes(server.traffic.virtualHosts)
    .hostOf(authority)
    ?.find({ method: "GET", authority, path, scheme: "http", header: () => undefined });
  if (route?.action.do !== "forward") return route?.action.do ?? "none";
  return route.action.destinations.map(({ host, port }) => `${host}:${port}`).join(" ");
};

test("a gateway without Gateways listens nowhere; a sidecar's view has none", () => {
  assert.deepEqual(viewOf(""), { listeners: [] });
  const snapshot = snapshotOf(openGateway + gateway(http('"*"'), { selector: "app: api" }));
  const view = buildWorkloadView(snapshot, workloadNamed(snapshot, "shop/api-0"));
  assert.equal(view.gateway, undefined);
});

test("the port of a server is the Service's; the pod's is its target port", () => {
  const [listener] = viewOf(gateway(http('"*"'))).listeners;
  assert.deepEqual(
    { ...listener, servers: [] },
    { port: 80, containerPort: 8080, listen: { address: "127.0.0.1", port: 18080 }, servers: [] },
  );
});

const WEB = virtualService(
  `{hosts: [web.example.com], gateways: [istio-ingress/edge], http: [{${to("api")}}]}`,
);
const selection: [what: string, yaml: string, way: string][] = [
  ["a Gateway that selects it", gateway(http('"*"')) + WEB, "api.shop.svc.cluster.local:8000"],
  ["one that selects others", gateway(http('"*"'), { selector: "istio: egress" }) + WEB, "none"],
  [
    "one of another namespace",
    gateway(http('"*"'), { namespace: "shop" }) + WEB.replace("istio-ingress/edge", "edge"),
    "api.shop.svc.cluster.local:8000",
  ],
  [
    "a VirtualService of another Gateway",
    gateway(http('"*"')) + WEB.replace("/edge", "/other"),
    "none",
  ],
  [
    "a VirtualService for sidecars",
    gateway(http('"*"')) + WEB.replace("istio-ingress/edge", "mesh"),
    "none",
  ],
  [
    "hosts of its namespace",
    gateway(http("shop/web.example.com")) + WEB,
    "api.shop.svc.cluster.local:8000",
  ],
  ["hosts of another namespace", gateway(http("bank/web.example.com")) + WEB, "none"],
  ["hosts of the Gateway's own namespace", gateway(http("./web.example.com")) + WEB, "none"],
  [
    "hosts of any namespace",
    gateway(http('"*/web.example.com"')) + WEB,
    "api.shop.svc.cluster.local:8000",
  ],
  ["a wider host", gateway(http('"*.example.com"')) + WEB, "api.shop.svc.cluster.local:8000"],
  ["another host", gateway(http("other.example.com")) + WEB, "none"],
  [
    "the old form of a name",
    gateway(http('"*"')) +
      WEB.replace("istio-ingress/edge", "edge.istio-ingress.svc.cluster.local"),
    "api.shop.svc.cluster.local:8000",
  ],
  [
    "what is not exported to it",
    gateway(http('"*"')) + WEB.replace("{hosts", '{exportTo: ["."], hosts'),
    "none",
  ],
  [
    "what is exported to it",
    gateway(http('"*"')) + WEB.replace("{hosts", "{exportTo: [istio-ingress], hosts"),
    "api.shop.svc.cluster.local:8000",
  ],
  [
    "another port",
    gateway(http('"*"')) + WEB.replace("http: [{", "http: [{match: [{port: 81}], "),
    "none",
  ],
  [
    "a match for another gateway",
    gateway(http('"*"')) + WEB.replace("http: [{", "http: [{match: [{gateways: [mesh]}], "),
    "none",
  ],
  [
    "labels that it does not have",
    gateway(http('"*"')) + WEB.replace("http: [{", "http: [{match: [{sourceLabels: {a: b}}], "),
    "none",
  ],
];
for (const [what, yaml, way] of selection) {
  test(`${what}: ${way}`, () => assert.equal(wayOf(viewOf(yaml), "web.example.com"), way));
}

test("hosts are the narrower of both, in lower case", () => {
  const narrow = viewOf(
    gateway(http("A.example.com, b.example.com")) +
      WEB.replace("web.example.com", '"*.example.com"'),
  );
  assert.deepEqual(domainsOf(narrow), ["a.example.com", "b.example.com"]);
});

test("routes of several VirtualServices for a host stand together; what takes everything comes last", () => {
  const older = virtualService(
    `{hosts: [web.example.com], gateways: [istio-ingress/edge], http: [{${to("api")}}]}`,
    { name: "a" },
  );
  const younger = virtualService(
    `{hosts: [web.example.com], gateways: [istio-ingress/edge], http: [{match: [{uri: {prefix: /b}}], ${to("back.shop.svc.cluster.local", ", port: {number: 9}")}}]}`,
    { name: "b" },
  );
  const view = viewOf(gateway(http('"*"')) + older + younger);
  assert.equal(wayOf(view, "web.example.com", "/b/c"), "back.shop.svc.cluster.local:9");
  assert.equal(wayOf(view, "web.example.com", "/c"), "api.shop.svc.cluster.local:8000");
  assert.equal(wayOf(view, "WEB.example.com:8443", "/c"), "api.shop.svc.cluster.local:8000");
});

test("HTTP servers of one port are one; httpsRedirect is of its hosts alone", () => {
  const view = viewOf(
    gateway(http("old.example.com", ", tls: {httpsRedirect: true}")) +
      gateway(http("web.example.com"), { name: "second" }) +
      WEB.replace("/edge", "/second"),
  );
  const [server, ...others] = serversOf(view);
  assert.deepEqual(others, []);
  assert.deepEqual(
    server?.origins.map(({ ref }) => ref.name),
    ["edge", "second"],
  );
  const hosts = server.traffic.is === "http" ? server.traffic.virtualHosts : [];
  assert.deepEqual(
    hosts.map(({ domains, httpsRedirect, routes }) => [domains, httpsRedirect, routes.length]),
    [
      [["old.example.com"], true, 0],
      [["web.example.com"], undefined, 1],
    ],
  );
});

const https = (
  tls: string,
  { hosts = "web.example.com", protocol = "HTTPS", name = "https" } = {},
): string =>
  `{port: {number: 443, name: ${name}, protocol: ${protocol}}, hosts: [${hosts}], tls: {${tls}}}`;

test("servers of TLS are told apart by server name, and each has its own routes", () => {
  const view = viewOf(
    gateway(
      [
        https("mode: SIMPLE, credentialName: one"),
        https("mode: SIMPLE, credentialName: two", { hosts: '"*.example.com"', name: "wild" }),
        https("mode: ISTIO_MUTUAL", { hosts: '"*"', name: "mesh" }),
      ].join(", "),
    ) + WEB,
  );
  const [listener] = view.listeners;
  assert.ok(listener !== undefined);
  const modeFor = (name?: string): string | undefined => {
    const server = gatewayServerFor(listener, name);
    return `${server?.serverNames.join()} ${server?.tls?.mode}`;
  };
  assert.equal(modeFor("Web.example.com"), "web.example.com SIMPLE");
  assert.equal(modeFor("b.example.com"), "*.example.com SIMPLE");
  assert.equal(modeFor("example.com"), "* ISTIO_MUTUAL");
  assert.equal(modeFor(undefined), "* ISTIO_MUTUAL");
  const [exact] = listener.servers;
  assert.deepEqual(exact?.tls?.problem, "Secret istio-ingress/one is not there");
});

const left: [what: string, yaml: string, names: readonly string[]][] = [
  [
    "a host of TLS that is served already",
    gateway(https("mode: SIMPLE, credentialName: a")) +
      gateway(https("mode: SIMPLE, credentialName: b"), { name: "second" }),
    ["edge"],
  ],
  [
    "TLS on a port without",
    gateway(http('"*"').replace("80", "443")) +
      gateway(https("mode: SIMPLE, credentialName: b"), { name: "second" }),
    ["edge"],
  ],
  [
    "TCP on a port of HTTP",
    gateway(http('"*"')) +
      gateway(http('"*"').replace("protocol: HTTP", "protocol: TCP"), { name: "second" }),
    ["edge"],
  ],
];
for (const [what, yaml, names] of left) {
  test(`left out is ${what}`, () => {
    const origins = serversOf(viewOf(yaml)).flatMap((server) => server.origins);
    assert.deepEqual(
      origins.map(({ ref }) => ref.name),
      names,
    );
  });
}

test("PASSTHROUGH goes by server name, the most specific first; what TLS is taken off by tcp", () => {
  const view = viewOf(
    gateway(
      `${https("mode: PASSTHROUGH", { hosts: '"*.example.com"', protocol: "TLS" })}, ${https("mode: SIMPLE, credentialName: x", { hosts: "db.example.org", protocol: "TLS", name: "db" })}`,
    ) +
      virtualService(
        `{hosts: ["*.example.com"], gateways: [istio-ingress/edge], tls: [{match: [{sniHosts: ["*.example.com"]}], ${to("back", ", port: {number: 1}")}}, {match: [{port: 443, sniHosts: [web.example.com]}], ${to("api")}}]}`,
      ) +
      virtualService(
        `{hosts: [db.example.org], gateways: [istio-ingress/edge], tcp: [{match: [{port: 5}], ${to("never")}}, {${to("api")}}]}`,
        { name: "db" },
      ),
  );
  const ways = serversOf(view).map(({ traffic }) =>
    traffic.is === "stream"
      ? traffic.routes.map(({ serverNames, destinations }) => [serverNames, destinations[0]?.host])
      : [],
  );
  assert.deepEqual(ways, [
    [
      [["web.example.com"], "api.shop.svc.cluster.local"],
      [["*.example.com"], "back.shop.svc.cluster.local"],
    ],
    [[undefined, "api.shop.svc.cluster.local"]],
  ]);
});

test("where Gateways are for their own namespace alone, one of another namespace is nobody's", () => {
  const yaml = openGateway + gateway(http('"*"'), { namespace: "shop" }) + gateway(http("own"), {});
  const snapshot = snapshotOf(yaml.replace("[own]", "[own.example.com]"));
  const workload = workloadNamed(snapshot, "istio-ingress/ingress-0");
  const origins = (gatewayScope: "mesh" | "namespace"): readonly string[] => {
    const view = buildWorkloadView({ ...snapshot, gatewayScope }, workload);
    return serversOf(view.gateway ?? assert.fail("no gateway"))
      .flatMap((server) => server.origins)
      .map(({ ref }) => ref.namespace);
  };
  assert.deepEqual(origins("mesh"), ["istio-ingress", "shop"]);
  assert.deepEqual(origins("namespace"), ["istio-ingress"]);
});

describe("hosts that are for routes of one namespace", () => {
  const greedy = (spec: string): string =>
    virtualService(
      `{hosts: [a.example.com, b.example.com], gateways: [istio-ingress/edge], ${spec}}`,
      {
        name: "greedy",
        namespace: "istio-ingress",
      },
    );
  const waysOf = (server: string, spec: string): readonly unknown[] =>
    serversOf(viewOf(gateway(server) + greedy(spec))).flatMap(({ traffic }) =>
      traffic.is === "stream" ? traffic.routes.map(({ serverNames }) => serverNames) : [],
    );
  const hosts = "istio-ingress/a.example.com, shop/b.example.com";

  test("PASSTHROUGH: no route of another has their connections", () => {
    const names = waysOf(
      https("mode: PASSTHROUGH", { hosts, protocol: "TLS" }),
      `tls: [{match: [{sniHosts: [b.example.com, a.example.com]}], ${to("api")}}]`,
    );
    assert.deepEqual(names, [["a.example.com"]]);
  });

  test("nor where TLS is taken off", () => {
    const opened = { hosts, protocol: "TLS" };
    const tls = "mode: SIMPLE, credentialName: x";
    assert.deepEqual(waysOf(https(tls, opened), `tcp: [{${to("api")}}]`), [["a.example.com"]]);
    const all = { hosts: "a.example.com, b.example.com", protocol: "TLS" };
    assert.deepEqual(waysOf(https(tls, all), `tcp: [{${to("api")}}]`), [undefined]);
  });
});
