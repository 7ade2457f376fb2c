import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf, snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView, buildWorkloadViews } from "./build-workload-view.ts";
import { ofKind } from "./mesh-snapshot.ts";
import type { WorkloadView } from "./workload-view.ts";

const namespace = (name: string): string => `
---
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {istio-injection: enabled}}`;

const deployment = ({
  name = "api",
  inNamespace = "shop",
  account = name,
  labels = "",
  port = 8080,
}: {
  name?: string;
  inNamespace?: string;
  account?: string;
  labels?: string;
  port?: number;
} = {}): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${inNamespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}, tier: back${labels}}}
    spec:
      serviceAccountName: ${account}
      containers: [{name: a, image: x, ports: [{name: web, containerPort: ${port}}]}]`;

const service = (name: string, ports: string, selector = "app: api"): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {${selector}}, ports: [${ports}]}`;

const peerAuthentication = (spec: string, inNamespace = "shop"): string => `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: pa, namespace: ${inNamespace}}
spec: ${spec}`;

const HTTP = "{name: http, port: 80, targetPort: web}";
const BASE = namespace("shop") + deployment() + deployment({ name: "caller", port: 7070 });

const viewOf = (yaml: string, pod = "shop/caller-0"): WorkloadView => {
  const snapshot = snapshotOf(yaml);
  return buildWorkloadView(snapshot, workloadNamed(snapshot, pod));
};

test("views are built for workloads with a sidecar alone, and are plain JSON", () => {
  const views = buildWorkloadViews(
    snapshotOf(BASE + deployment({ name: "old", inNamespace: "legacy" }) + service("api", HTTP)),
  );
  assert.deepEqual([...views.keys()], ["shop/api-0", "shop/caller-0"]);
  for (const view of views.values()) assert.deepEqual(JSON.parse(JSON.stringify(view)), view);
});

test("a view names its workload, its identity (CA-17) and what is trusted", () => {
  const { workload, trust, outbound } = viewOf(BASE);
  assert.equal(workload.identity, "spiffe://cluster.local/ns/shop/sa/caller");
  assert.equal(workload.owner, "caller");
  assert.deepEqual(trust, {
    trustDomain: "cluster.local",
    trustDomainAliases: [],
    rootsPem: ["ROOT"],
    minimumTlsVersion: "TLSv1.2",
  });
  assert.ok(outbound.httpProxy);
});

test("a destination is a service port, with its listener, server name (TLS-33) and endpoints", () => {
  const { outbound } = viewOf(BASE + service("api", HTTP));
  assert.deepEqual(outbound.destinations, [
    {
      serviceNamespace: "shop",
      serviceName: "api",
      host: "api.shop.svc.cluster.local",
      servicePort: 80,
      protocol: "http",
      listen: { address: "127.0.0.1", port: 80 },
      identities: ["spiffe://cluster.local/ns/shop/sa/api"],
      serverName: "outbound_.80_._.api.shop.svc.cluster.local",
      endpoints: [
        { workload: "api-0", address: { address: "127.0.0.1", port: 18080 }, mutualTls: true },
      ],
    },
  ]);
});

test("endpoints that are not ready are left out, and their identities are still accepted", () => {
  const yaml = BASE + service("back", HTTP, "tier: back");
  const snapshot = snapshotOf(yaml, { notReady: ["shop/api-0"] });
  const view = buildWorkloadView(snapshot, workloadNamed(snapshot, "shop/caller-0"));
  const [back] = view.outbound.destinations;
  assert.deepEqual(
    back?.endpoints.map(({ workload }) => workload),
    ["caller-0"],
  );
  assert.ok(back.identities.some((identity) => identity.endsWith("/sa/api")));
  const [ready] = viewOf(yaml).outbound.destinations;
  assert.equal(ready?.endpoints.length, 2);
});

test("TLS-34 identities are those of all endpoints, in every trust domain that is ours, sorted", () => {
  const mesh = "\n---\ntrustDomain: td1\ntrustDomainAliases: [old]\n";
  const { outbound, workload } = viewOf(BASE + service("back", HTTP, "tier: back") + mesh);
  assert.equal(workload.identity, "spiffe://td1/ns/shop/sa/caller");
  assert.deepEqual(outbound.destinations[0]?.identities, [
    "spiffe://old/ns/shop/sa/api",
    "spiffe://old/ns/shop/sa/caller",
    "spiffe://td1/ns/shop/sa/api",
    "spiffe://td1/ns/shop/sa/caller",
  ]);
});

const toDisable = "{selector: {matchLabels: {app: api}}, mtls: {mode: DISABLE}}";
const portDisabled =
  "{selector: {matchLabels: {app: api}}, portLevelMtls: {8080: {mode: DISABLE}}}";
const servicePortDisabled = portDisabled.replace("8080", "80");
const originated: [rule: string, yaml: string, mutualTls: boolean][] = [
  ["TLS-28 PERMISSIVE is upgraded", BASE, true],
  ["TLS-20 switched off for the mesh", `${BASE}\n---\nenableAutoMtls: false\n`, false],
  ["TLS-25 a workload's DISABLE is honoured", BASE + peerAuthentication(toDisable), false],
  ["TLS-25 a port's DISABLE is honoured", BASE + peerAuthentication(portDisabled), false],
  ["PA-16 the port is the container's", BASE + peerAuthentication(servicePortDisabled), true],
  ["TLS-21 a namespace's DISABLE", BASE + peerAuthentication("{mtls: {mode: DISABLE}}"), false],
  [
    "TLS-27 a namespace's DISABLE hides a workload's STRICT",
    `${BASE}${peerAuthentication("{mtls: {mode: DISABLE}}")}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: shop}
spec: {selector: {matchLabels: {app: api}}, mtls: {mode: STRICT}}`,
    false,
  ],
  [
    "TLS-21 the mesh's DISABLE",
    BASE + peerAuthentication("{mtls: {mode: DISABLE}}", "istio-system"),
    false,
  ],
  [
    "TLS-26 a pod without a sidecar",
    namespace("shop") +
      deployment({ labels: ", sidecar.istio.io/inject: 'false'" }) +
      deployment({ name: "caller", port: 7070 }),
    false,
  ],
  [
    "TLS-26 a pod that says it does not",
    namespace("shop") +
      deployment({ labels: ", security.istio.io/tlsMode: disabled" }) +
      deployment({ name: "caller", port: 7070 }),
    false,
  ],
];
for (const [rule, yaml, mutualTls] of originated) {
  test(`${rule}: mutual TLS is ${mutualTls ? "" : "not "}originated`, () => {
    const { outbound } = viewOf(yaml + service("api", HTTP));
    assert.deepEqual(
      outbound.destinations[0]?.endpoints.map((endpoint) => endpoint.mutualTls),
      [mutualTls],
    );
  });
}

test("a service whose target port a pod lacks has no endpoint there", () => {
  const { outbound } = viewOf(BASE + service("api", "{port: 80, targetPort: nowhere}"));
  assert.deepEqual(outbound.destinations[0]?.endpoints, []);
});

const protocols: [what: string, services: string, protocol: string][] = [
  ["no service", "", "auto"],
  ["a service by the port's name", service("api", HTTP), "http"],
  [
    "a service by the port's number",
    service("api", "{name: tcp-x, port: 1, targetPort: 8080}"),
    "tcp",
  ],
  ["a service of gRPC", service("api", "{name: grpc-x, port: 1, targetPort: 8080}"), "http2"],
  ["a service for another port", service("api", "{name: http, port: 1, targetPort: 9090}"), "auto"],
  ["a service that does not select it", service("api", HTTP, "app: caller"), "auto"],
  [
    "two that differ: the first by name",
    service("b", "{name: tcp, port: 1, targetPort: 8080}") + service("a", HTTP),
    "http",
  ],
];
for (const [what, services, protocol] of protocols) {
  test(`inbound protocol with ${what} is ${protocol}`, () => {
    const { inbound } = viewOf(BASE + services, "shop/api-0");
    const port = inbound.ports.find(({ containerPort }) => containerPort === 8080);
    assert.equal(port?.protocol, protocol);
  });
}

test("PA-16 an inbound port carries its mode and the resource that set it", () => {
  const { inbound } = viewOf(BASE + peerAuthentication(portDisabled), "shop/api-0");
  const [port] = inbound.ports;
  assert.equal(port?.mutualTls.mode, "DISABLE");
  assert.ok(port.mutualTls.origin !== "default");
  assert.deepEqual(port.mutualTls.origin.ref, {
    kind: "PeerAuthentication",
    namespace: "shop",
    name: "pa",
  });
});

const ETCD = `
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: etcd, namespace: shop}
spec:
  replicas: 2
  serviceName: peers
  selector: {matchLabels: {app: etcd}}
  template:
    metadata: {labels: {app: etcd}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 2380}]}]}`;
const peers = (more = ""): string => `
---
apiVersion: v1
kind: Service
metadata: {name: peers, namespace: shop}
spec: {clusterIP: None, selector: {app: etcd}, ports: [{port: 2380}]${more}}`;

const ownViewOf = (
  yaml: string,
  { pod = "shop/caller-0", notReady = [] as readonly string[] } = {},
): WorkloadView => {
  const snapshot = snapshotOf(yaml, { addressing: "own", notReady });
  return buildWorkloadView(snapshot, workloadNamed(snapshot, pod));
};

test("with addresses of their own, a service is called by its, and leads to the pods'", () => {
  const { outbound } = ownViewOf(BASE + service("api", HTTP));
  const [api] = outbound.destinations;
  assert.deepEqual(api?.addresses, ["10.96.0.1", "fd00:10:96::1"]);
  assert.equal("headless" in api || "listen" in api || "httpProxy" in outbound, false);
  assert.deepEqual(api.endpoints, [
    {
      workload: "api-0",
      address: { address: "10.244.0.1", port: 8080 },
      podAddresses: ["10.244.0.1", "fd00:10:244::1"],
      mutualTls: true,
    },
  ]);
});

test("behind its headless service each pod of a StatefulSet has a name; behind another it has none", () => {
  const { outbound } = ownViewOf(BASE + ETCD + peers() + service("any", "{port: 1}", "app: etcd"));
  const told = outbound.destinations.map(({ serviceName, addresses, headless, endpoints }) => ({
    serviceName,
    addresses,
    headless,
    hostnames: endpoints.map(({ hostname }) => hostname),
  }));
  assert.deepEqual(told, [
    {
      serviceName: "any",
      addresses: ["10.96.0.1", "fd00:10:96::1"],
      headless: undefined,
      hostnames: [undefined, undefined],
    },
    { serviceName: "peers", addresses: [], headless: true, hostnames: ["etcd-0", "etcd-1"] },
  ]);
});

const hostnames: [fields: string, hostname: string | undefined][] = [
  ["hostname: first, subdomain: peers", "first"],
  ["hostname: first, subdomain: others", undefined],
  ["hostname: first", undefined],
  ["subdomain: peers", undefined],
];
for (const [fields, hostname] of hostnames) {
  test(`a pod whose template says ${fields} is called ${hostname ?? "nothing of its own"}`, () => {
    const named = deployment()
      .replace("serviceAccountName", `{${fields}, serviceAccountName`)
      .replace(/: api\n {6}containers: (.*)$/, ": api, containers: $1}");
    const headless = peers().replace("app: etcd", "app: api").replace("2380", "8080");
    const yaml = namespace("shop") + named + deployment({ name: "caller", port: 7070 }) + headless;
    const [destination] = ownViewOf(yaml).outbound.destinations;
    assert.deepEqual(
      destination?.endpoints.map((endpoint) => endpoint.hostname),
      [hostname],
    );
  });
}

const unready: [what: string, more: string, endpoints: readonly string[]][] = [
  ["is no endpoint", "", ["etcd-0"]],
  [
    "is one where addresses are published before",
    ", publishNotReadyAddresses: true",
    ["etcd-0", "etcd-1"],
  ],
];
for (const [what, more, endpoints] of unready) {
  test(`a pod that is not ready ${what}`, () => {
    const yaml = BASE + ETCD + peers(more);
    const [found] = ownViewOf(yaml, { notReady: ["shop/etcd-1"] }).outbound.destinations;
    assert.deepEqual(
      found?.endpoints.map(({ workload }) => workload),
      endpoints,
    );
  });
}

test("on loopback there are neither addresses nor names of pods, and nothing is intercepted", () => {
  const view = viewOf(BASE + ETCD + peers());
  const [found] = view.outbound.destinations;
  assert.equal("addresses" in (found ?? {}) || "headless" in (found ?? {}), false);
  assert.equal(found?.endpoints.length, 2);
  for (const endpoint of found.endpoints) {
    assert.deepEqual(Object.keys(endpoint).sort(), ["address", "mutualTls", "workload"]);
  }
  assert.equal("interception" in view, false);
});

test("PA-17, PA-18 undeclared ports have the workload's mode, or their own", () => {
  const spec =
    "{selector: {matchLabels: {app: api}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: PERMISSIVE}, 9999: {mode: DISABLE}, 9998: {mode: UNSET}}}";
  const { interception, inbound } = ownViewOf(BASE + peerAuthentication(spec), {
    pod: "shop/api-0",
  });
  assert.deepEqual(
    inbound.ports.map(({ containerPort, mutualTls }) => [containerPort, mutualTls.mode]),
    [[8080, "PERMISSIVE"]],
  );
  const { mutualTls, ports } = interception?.undeclaredPorts ?? assert.fail("not intercepted");
  assert.equal(mutualTls.mode, "STRICT");
  assert.notEqual(mutualTls.origin, "default");
  assert.deepEqual(
    ports.map((port) => [port.containerPort, port.mutualTls.mode]),
    [
      [9999, "DISABLE"],
      [9998, "STRICT"],
    ],
  );
});

const policies: [yaml: string, unknownDestinations: string][] = [
  ["", "ALLOW_ANY"],
  ["\n---\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}\n", "REGISTRY_ONLY"],
];
for (const [mesh, unknownDestinations] of policies) {
  test(`outboundTrafficPolicy reaches the view as ${unknownDestinations}`, () => {
    const { interception } = ownViewOf(BASE + mesh);
    assert.equal(interception?.unknownDestinations, unknownDestinations);
    assert.equal(interception.undeclaredPorts.mutualTls.mode, "PERMISSIVE");
  });
}

test("INJ-25 callers speak mutual TLS to an excluded port too, unless a PeerAuthentication disables it there", () => {
  const excluded = deployment().replace(
    "tier: back}",
    "tier: back}, annotations: {traffic.sidecar.istio.io/excludeInboundPorts: '8080'}",
  );
  const yaml =
    namespace("shop") +
    excluded +
    deployment({ name: "caller", port: 7070 }) +
    service("api", HTTP);
  const excludedPorts = ofKind(resourcesOf(yaml), "Deployment").map(
    ({ template }) => template.interception.excludedInboundPorts,
  );
  assert.deepEqual(excludedPorts, [[8080], []]);
  const spoken = (more: string): boolean[] =>
    ownViewOf(yaml + more).outbound.destinations[0]?.endpoints.map((each) => each.mutualTls) ?? [];
  assert.deepEqual(spoken(""), [true]);
  assert.deepEqual(spoken(peerAuthentication(portDisabled)), [false]);
});

const headers: [what: string, mesh: string, own: string, expected: object | undefined][] = [
  ["nobody says anything", "{}", "{}", undefined],
  [
    "the mesh does",
    "{forwardedClientCert: SANITIZE, setCurrentClientCertDetails: {cert: true, dns: false}}",
    "{}",
    {
      forwardedClientCert: "SANITIZE",
      clientCertDetails: ["cert", "subject", "uri"],
      requestId: "generated",
    },
  ],
  [
    "a pod does, which takes over what it does not say, but for the details",
    "{forwardedClientCert: SANITIZE, setCurrentClientCertDetails: {cert: true}}",
    "{proxyHeaders: {requestId: {disabled: true}}}",
    {
      forwardedClientCert: "SANITIZE",
      clientCertDetails: ["subject", "uri", "dns"],
      requestId: "as received",
    },
  ],
  [
    "both do",
    "{forwardedClientCert: SANITIZE}",
    "{proxyHeaders: {forwardedClientCert: SANITIZE_SET, setCurrentClientCertDetails: {subject: false}}}",
    {
      forwardedClientCert: "SANITIZE_SET",
      clientCertDetails: ["uri", "dns"],
      requestId: "generated",
    },
  ],
];
for (const [what, mesh, own, expected] of headers) {
  test(`OBS-30 proxyHeaders: ${what}`, () => {
    const annotated = deployment().replace(
      "tier: back}",
      `tier: back}, annotations: {proxy.istio.io/config: '${own}'}`,
    );
    const yaml = `${namespace("shop")}${annotated}${deployment({ name: "caller", port: 7070 })}
---
defaultConfig: {proxyHeaders: ${mesh}}
`;
    assert.deepEqual(ownViewOf(yaml, { pod: "shop/api-0" }).proxyHeaders, expected);
  });
}
