import assert from "node:assert/strict";
import { test } from "node:test";
import { destination, idOf, inboundPort, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import type { Interception, WorkloadView } from "../policy/workload-view.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { describeSidecar, type SidecarDump } from "./admin-dump.ts";

const STRICT = { mode: "STRICT", origin: "default" } as const;
const PERMISSIVE = { mode: "PERMISSIVE", origin: "default" } as const;
const billing = destination({ name: "billing", port: 7001, listen: 7002 });
const view = workloadView({
  rootsPem: ["a root"],
  ports: [inboundPort({ listen: 7080, application: 7081 })],
  destinations: [billing],
  httpProxy: 7003,
});
const capture: CaptureSettings = {
  outboundPort: 15_001,
  inboundPort: 15_006,
  dnsPort: 15_053,
  podAddresses: { ipv4: "10.244.0.2", ipv6: "fd00::2" },
  dnsUpstream: { address: "10.244.0.1", port: 53 },
};

function dump(held: WorkloadView | undefined, captured?: CaptureSettings): SidecarDump {
  return describeSidecar({
    namespace: "production",
    name: "api-0",
    state: () => "ready",
    svid: new WatchedValue(undefined),
    view: () => held,
    capture: captured,
  });
}

test("before its first certificate and view a sidecar holds nothing", () => {
  const { certificates, listeners, clusters, view: held } = dump(undefined);
  assert.deepEqual([listeners, clusters, held], [[], [], null]);
  assert.deepEqual([certificates.id, certificates.rootsPem], [null, []]);
});

test("on loopback each port and each destination has a listener, and the HTTP proxy leads to all", () => {
  const cluster = "outbound|8080||billing.production.svc.cluster.local";
  const host = "billing.production.svc.cluster.local";
  const at = (port: number) => [{ address: "127.0.0.1", port }];
  assert.deepEqual(dump(view).listeners, [
    {
      name: "inbound 8080",
      direction: "inbound",
      addresses: at(7080),
      chains: [{ protocol: "http", mutualTls: STRICT, cluster: "inbound|8080||" }],
    },
    {
      name: "HTTP proxy",
      direction: "outbound",
      addresses: at(7003),
      chains: [{ match: { host, port: 8080 }, protocol: "http", cluster }],
    },
    {
      name: cluster,
      direction: "outbound",
      addresses: at(7002),
      chains: [{ protocol: "http", cluster }],
    },
  ]);
});

test("clusters name the pod's own application, and who may answer for a service", () => {
  assert.deepEqual(dump(view).clusters, [
    {
      name: "inbound|8080||",
      direction: "inbound",
      port: 8080,
      protocol: "http",
      endpoints: [
        { address: { address: "127.0.0.1", port: 7081 }, mutualTls: false, state: "ready" },
      ],
    },
    {
      name: "outbound|8080||billing.production.svc.cluster.local",
      direction: "outbound",
      host: "billing.production.svc.cluster.local",
      port: 8080,
      protocol: "http",
      identities: [idOf("billing")],
      serverName: "outbound_.8080_._.billing.production.svc.cluster.local",
      endpoints: [
        {
          address: { address: "127.0.0.1", port: 7001 },
          workload: "billing-0",
          mutualTls: true,
          state: "ready",
        },
      ],
    },
  ]);
});

test("an endpoint that NetworkPolicies close says so", () => {
  const refusedBy = { direction: "egress", policies: [] } as const;
  const endpoints = billing.endpoints.map((one) => ({ ...one, refusedBy }));
  const held = workloadView({ rootsPem: [], destinations: [{ ...billing, endpoints }] });
  const [endpoint] = dump(held).clusters[0]?.endpoints ?? [];
  assert.deepEqual([endpoint?.state, endpoint?.refusedBy], ["refused", refusedBy]);
});

const unknown: [Interception["unknownDestinations"], cluster: string][] = [
  ["ALLOW_ANY", "PassthroughCluster"],
  ["REGISTRY_ONLY", "BlackHoleCluster"],
];
for (const [unknownDestinations, cluster] of unknown) {
  test(`where the kernel leads everything there, two listeners take it; ${unknownDestinations}`, () => {
    const interception: Interception = {
      undeclaredPorts: {
        mutualTls: PERMISSIVE,
        ports: [
          { containerPort: 8080, mutualTls: PERMISSIVE },
          { containerPort: 9000, mutualTls: STRICT },
        ],
      },
      unknownDestinations,
    };
    const headless = {
      ...billing,
      headless: true as const,
      endpoints: billing.endpoints.map((one) => ({ ...one, podAddresses: ["10.244.0.9"] })),
    };
    const held = {
      ...view,
      outbound: { destinations: [{ ...billing, addresses: ["10.96.0.7"] }, headless] },
      interception,
    };
    const { listeners, clusters } = dump(held, capture);
    assert.deepEqual(
      listeners.map(({ addresses, chains }) => [addresses.map(({ port }) => port), chains]),
      [
        [
          [15_006, 15_006],
          [
            {
              match: { port: 8080 },
              protocol: "http",
              mutualTls: STRICT,
              cluster: "inbound|8080||",
            },
            { match: { port: 9000 }, mutualTls: STRICT, cluster: "InboundPassthroughCluster" },
            { mutualTls: PERMISSIVE, cluster: "InboundPassthroughCluster" },
          ],
        ],
        [
          [15_001, 15_001],
          [
            ...["10.96.0.7", "10.244.0.9"].map((address) => ({
              match: { addresses: [address], port: 8080 },
              protocol: "http",
              cluster: "outbound|8080||billing.production.svc.cluster.local",
            })),
            { cluster },
          ],
        ],
      ],
    );
    const names = new Set(clusters.map(({ name }) => name));
    for (const { chains } of listeners)
      for (const { cluster: led } of chains) assert.ok(names.has(led), led);
  });
}
