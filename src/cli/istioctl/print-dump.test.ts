import assert from "node:assert/strict";
import { test } from "node:test";
import type { EnvoyConfig } from "../../envoy/envoy-json.ts";
import { TCP_PROXY } from "../../envoy/istio-names.ts";
import { callsSocket } from "../../envoy/outbound/loopback-listeners.ts";
import { authorizationSummary } from "./authorization-summary.ts";
import { type DumpFilter, type DumpPartName, printAll, printPart } from "./print-dump.ts";
import type { ProxyDump } from "./proxy-dump.ts";
import { tabColumns } from "./tab-columns.ts";

const TYPE = "type.googleapis.com/x";
const config: EnvoyConfig = {
  listeners: [
    {
      name: "virtualInbound",
      address: { socketAddress: { address: "0.0.0.0", portValue: 15_006 } },
      trafficDirection: "INBOUND",
      filterChains: [
        {
          filterChainMatch: {
            destinationPort: 8080,
            transportProtocol: "tls",
            applicationProtocols: ["istio-peer-exchange", "istio"],
          },
          filters: [
            {
              name: "envoy.filters.network.rbac",
              typedConfig: {
                "@type": TYPE,
                rules: { action: "DENY", policies: { "ns[shop]-policy[no]-rule[0]": {} } },
              },
            },
            {
              name: "envoy.filters.network.tcp_proxy",
              typedConfig: { "@type": TYPE, cluster: "inbound|8080||" },
            },
          ],
          metadata: { filterMetadata: { hauberk: { mutualTls: "STRICT (default)" } } },
        },
      ],
    },
    {
      name: "0.0.0.0_80",
      address: { socketAddress: { address: "0.0.0.0", portValue: 80 } },
      filterChains: [
        {
          filters: [
            {
              name: "envoy.filters.network.http_connection_manager",
              typedConfig: { "@type": TYPE, rds: { routeConfigName: "80" } },
            },
          ],
        },
      ],
    },
  ],
  clusters: [
    { name: "outbound|80|v1|web.shop.svc.cluster.local", type: "EDS" },
    {
      name: "outbound|80||web.shop.svc.cluster.local",
      type: "EDS",
      metadata: {
        filterMetadata: {
          istio: { config: "/apis/networking.istio.io/v1/namespaces/shop/destination-rule/web" },
        },
      },
    },
    { name: "BlackHoleCluster" },
  ],
  routes: [
    {
      name: "80",
      virtualHosts: [
        {
          name: "web:80",
          domains: ["web.shop.svc.cluster.local", "web", "web.shop", "web.shop.svc", "10.0.0.1"],
          routes: [{ match: { pathSeparatedPrefix: "/a" }, route: { cluster: "x" } }],
        },
        { name: "none:80", domains: ["none"] },
        {
          name: "allow_any",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "PassthroughCluster" } }],
        },
      ],
    },
  ],
  endpoints: [
    {
      clusterName: "outbound|80||web.shop.svc.cluster.local",
      endpoints: [
        {
          locality: { region: "r", zone: "z" },
          lbEndpoints: [
            {
              endpoint: { address: { socketAddress: { address: "10.0.0.9", portValue: 8080 } } },
              healthStatus: "HEALTHY",
              metadata: { filterMetadata: { hauberk: { mutualTls: true, pod: "web-0" } } },
            },
          ],
        },
      ],
    },
  ],
};
const dump: ProxyDump = {
  of: "sidecar",
  config,
  withPolicies: config,
  secrets: {},
  bootstrap: {},
  whole: {},
};

const short = (part: DumpPartName, filter: DumpFilter = {}, of: ProxyDump["of"] = "sidecar") =>
  printPart(part, { ...dump, of }, { output: "short", ...filter }).map((line) =>
    line.replace(/ {2,}/g, "  ").trimEnd(),
  );

test("columns are padded as Go's tabwriter does, but the last", () => {
  const rows = [
    ["A", "B"],
    ["long", "x"],
    ["", "y"],
  ];
  assert.deepEqual(tabColumns(rows, 2), ["A     B", "long  x", "      y"]);
});

test("listeners come by port, with what a connection must be like", () => {
  assert.deepEqual(short("listeners"), [
    "ADDRESSES PORT  MATCH  DESTINATION  MUTUAL TLS",
    "0.0.0.0  80  ALL  Route: 80  -",
    "0.0.0.0  15006 Trans: tls; App: TCP TLS; Addr: *:8080 Cluster: inbound|8080|| STRICT (default)",
  ]);
});

test("on loopback an Envoy's listeners are sockets: the port is told that their agent holds for them", () => {
  const path = callsSocket({ address: "127.0.0.1", port: 20_001 });
  const listener = { name: "127.0.0.1_20001", address: { pipe: { path } } };
  const filters = [
    { name: TCP_PROXY, typedConfig: { "@type": "", cluster: "PassthroughCluster" } },
  ];
  const listeners = [{ ...listener, filterChains: [{ filters }] }];
  const of = { ...dump, of: "envoy", config: { ...config, listeners } } as const;
  const shown = (filter: DumpFilter): readonly string[] =>
    printPart("listeners", of, { output: "short", ...filter }).slice(1);
  assert.match(shown({ port: 20_001 }).join(), /^127\.0\.0\.1 20001 ALL +PassthroughCluster/);
  assert.deepEqual(shown({ port: 0 }), []);
});

const FILTERS: readonly [DumpPartName, DumpFilter, lines: number][] = [
  ["listeners", { port: 80 }, 1],
  ["listeners", { port: 81 }, 0],
  ["listeners", { address: "0.0.0.0" }, 2],
  ["listeners", { address: "10.0.0.1" }, 0],
  ["listeners", { type: "http" }, 1],
  ["listeners", { type: "TCP" }, 1],
  ["clusters", { subset: "v1" }, 1],
  ["clusters", { fqdn: "web.shop" }, 2],
  ["clusters", { direction: "inbound" }, 0],
  ["clusters", { port: 80 }, 2],
  ["clusters", { port: 8 }, 0],
  ["routes", { name: "80" }, 2],
  ["routes", { name: "8" }, 0],
  ["endpoints", { address: "10.0.0.9:8080" }, 1],
  ["endpoints", { address: "10.0.0.9" }, 0],
  ["endpoints", { port: 8080 }, 1],
  ["endpoints", { port: 80 }, 0],
  ["endpoints", { status: "healthy" }, 1],
  ["endpoints", { status: "unhealthy" }, 0],
  ["endpoints", { cluster: "outbound|80||web.shop.svc.cluster.local" }, 1],
  ["endpoints", { cluster: "web" }, 0],
];

for (const [part, filter, lines] of FILTERS) {
  test(`${part} with ${JSON.stringify(filter)}: ${lines}`, () => {
    assert.equal(short(part, filter).length - 1, lines);
  });
}

test("a port that no listener has is asked of those that take connections for it, of a sidecar alone", () => {
  assert.match(short("listeners", { port: 8080 })[1] ?? "", /15006/);
  assert.equal(short("listeners", { port: 8080 }, "envoy").length, 1);
});

test("a cluster names its rule, and one without parts is told by its name", () => {
  assert.deepEqual(short("clusters"), [
    "SERVICE FQDN  PORT  SUBSET  DIRECTION  TYPE  DESTINATION RULE",
    "BlackHoleCluster  -  -  -  STATIC",
    "web.shop.svc.cluster.local  80  -  outbound  EDS  web.shop",
    "web.shop.svc.cluster.local  80  v1  outbound  EDS",
  ]);
});

test("of many domains two are told; a host without routes answers 404; passed on is passed over", () => {
  assert.deepEqual(short("routes").slice(1), [
    "80  web:80  web, web.shop + 1 more...  PathPrefix:/a",
    "80  none:80  none  /*  404",
  ]);
});

test("an endpoint says where it is, and whether a connection is mutual TLS", () => {
  assert.equal(
    short("endpoints")[1],
    "10.0.0.9:8080  HEALTHY  r/z  outbound|80||web.shop.svc.cluster.local  yes  web-0",
  );
});

test("YAML has its keys in order, and lists below the names they are of", () => {
  const [text = ""] = printPart("clusters", dump, { output: "yaml", fqdn: "web", port: 80 });
  assert.match(text, /^- metadata:\n {4}filterMetadata:\n {6}istio:\n {8}config: .*\n {2}name: /);
});

test("all parts come one after the other, and say what they are where asked", () => {
  const now = new Date("2026-01-01T00:00:00Z");
  const lines = printAll(dump, { output: "short", withHeaders: true, now });
  const titles = lines.flatMap((line) => /^-+ (\w+) INFO -+$/.exec(line)?.[1] ?? []);
  assert.deepEqual(titles, ["BOOTSTRAP", "CLUSTER", "LISTENER", "ROUTE", "SECRET", "ENDPOINTS"]);
  assert.ok(lines.some((line) => line.startsWith("listener/virtualInbound ")));
  assert.equal(
    printAll(dump, { output: "short", now }).some((line) => line.startsWith("---")),
    false,
  );
});

test("CTL-29: policies are counted by their rules", () => {
  assert.deepEqual(authorizationSummary(config.listeners), [
    "ACTION   AuthorizationPolicy   RULES",
    "DENY     no.shop               1",
  ]);
});
