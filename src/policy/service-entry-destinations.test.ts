import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { automaticAddresses } from "./automatic-addresses.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import type { Destination, WorkloadView } from "./workload-view.ts";

const deployment = (namespace: string, name: string): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      serviceAccountName: ${name}
      containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]`;

const namespace = (name: string): string => `
---
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {istio-injection: enabled}}`;

const MESH = `${namespace("shop")}${namespace("web")}${deployment("shop", "api")}${deployment("web", "caller")}${deployment("web", "other")}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}`;

function entry(spec: string, { name = "outside", in: where = "web", labels = "" } = {}): string {
  return `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: ${where}, labels: {${labels}}}
spec: ${spec}`;
}

const workloadEntry = (name: string, spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: ${name}, namespace: web}
spec: ${spec}`;

const rule = (spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: rule, namespace: web}
spec: ${spec}`;

const HTTP = "{name: http, number: 80, protocol: HTTP}";

function viewOf(yaml: string, client = "web/caller-0"): WorkloadView {
  const snapshot = { ...snapshotOf(MESH + yaml), serviceAddresses: {} };
  return buildWorkloadView(snapshot, workloadNamed(snapshot, client));
}

function destinationsOf(yaml: string, client?: string): readonly Destination[] {
  return viewOf(yaml, client).outbound.destinations.filter(({ serviceEntry }) => serviceEntry);
}

function only(yaml: string, client?: string): Destination {
  const [destination, ...others] = destinationsOf(yaml, client);
  assert.ok(destination !== undefined && others.length === 0, `${others.length} others`);
  return destination;
}

const place = ({ endpoints }: Destination): readonly string[] =>
  endpoints.map(({ address, mutualTls }) =>
    [`${address.address}:${address.port}`, ...(mutualTls ? ["mutual TLS"] : [])].join(" "),
  );

test("each host and port is a destination", () => {
  const spec = `{hosts: [A.example., b.example], resolution: DNS, ports: [${HTTP}, {name: tls, number: 443, protocol: HTTPS}]}`;
  const found = destinationsOf(entry(spec));
  assert.deepEqual(
    found.map(({ host, servicePort, protocol, serviceEntry }) => [
      `${host}:${servicePort} ${protocol}`,
      serviceEntry?.toldBySni,
    ]),
    [
      ["a.example:80 http", undefined],
      ["a.example:443 tcp", true],
      ["b.example:80 http", undefined],
      ["b.example:443 tcp", true],
    ],
  );
});

const endpoints: readonly [name: string, yaml: string, expected: readonly string[]][] = [
  ["NONE has none", entry(`{hosts: [a.example], ports: [${HTTP}]}`), []],
  [
    "STATIC: as given, at the port of the entry, of the port, or of the endpoint",
    entry(
      `{hosts: [a.example], resolution: STATIC, ports: [{name: http, number: 80, targetPort: 8080, protocol: HTTP}], endpoints: [{address: 192.0.2.1}, {address: "::FFFF:192.0.2.2", ports: {http: 81}}]}`,
    ),
    ["192.0.2.1:8080", "192.0.2.2:81"],
  ],
  [
    "inside the mesh whoever has a service account speaks its TLS (TLS-26)",
    entry(
      `{hosts: [a.example], location: MESH_INTERNAL, resolution: STATIC, ports: [${HTTP}], endpoints: [{address: 192.0.2.1, serviceAccount: vm}, {address: 192.0.2.2}, {address: 192.0.2.3, labels: {security.istio.io/tlsMode: istio}}]}`,
    ),
    ["192.0.2.1:80 mutual TLS", "192.0.2.2:80", "192.0.2.3:80 mutual TLS"],
  ],
  [
    "outside the mesh nobody does (TLS-21)",
    entry(
      `{hosts: [a.example], resolution: STATIC, ports: [${HTTP}], endpoints: [{address: 192.0.2.1, serviceAccount: vm}]}`,
    ),
    ["192.0.2.1:80"],
  ],
  [
    "a rule counts instead (TLS-30)",
    entry(
      `{hosts: [a.example], resolution: STATIC, ports: [${HTTP}], endpoints: [{address: 192.0.2.1}]}`,
    ) + rule("{host: a.example, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}"),
    ["192.0.2.1:80 mutual TLS"],
  ],
  [
    "WorkloadEntries and pods that the entry selects",
    entry(
      `{hosts: [a.example], location: MESH_INTERNAL, resolution: STATIC, ports: [{name: http, number: 80, targetPort: 8080, protocol: HTTP}], workloadSelector: {labels: {app: caller}}}`,
    ) +
      workloadEntry("vm", "{address: 192.0.2.1, labels: {app: caller}}") +
      workloadEntry("other", "{address: 192.0.2.2, labels: {app: other}}"),
    ["192.0.2.1:8080", "127.0.0.1:18080 mutual TLS"],
  ],
  [
    "DNS of a service of the mesh leads to its endpoints, and chooses no mutual TLS",
    entry(
      `{hosts: [api.shop.svc.cluster.local], resolution: DNS, ports: [{name: http, number: 8000, targetPort: 80, protocol: HTTP}]}`,
    ),
    ["127.0.0.1:18080"],
  ],
  [
    "an endpoint that names a service of the mesh leads to that service's endpoints",
    entry(
      `{hosts: [a.example], resolution: DNS, ports: [${HTTP}], endpoints: [{address: api.shop.svc.cluster.local}]}`,
    ),
    ["127.0.0.1:18080"],
  ],
];

for (const [name, yaml, expected] of endpoints) {
  test(`endpoints: ${name}`, () => assert.deepEqual(place(only(yaml)), expected));
}

test("endpoints by name are looked up by the sidecar; without any, the host is", () => {
  const [given, host] = [
    only(
      entry(
        `{hosts: [a.example], resolution: DNS, ports: [${HTTP}], endpoints: [{address: b.example, ports: {http: 81}}, {address: 192.0.2.1}]}`,
      ),
    ),
    only(entry(`{hosts: [a.example], resolution: DNS_ROUND_ROBIN, ports: [${HTTP}]}`)),
  ];
  assert.deepEqual(given.serviceEntry?.lookUp, [
    { workload: "outside-0", host: "b.example", port: 81, mutualTls: false },
  ]);
  assert.deepEqual(place(given), ["192.0.2.1:80"]);
  assert.deepEqual(host.serviceEntry?.lookUp, [
    { workload: "a.example", host: "a.example", port: 80, mutualTls: false },
  ]);
});

test("addresses: its own, ranges apart; allocated where it has none and is resolved", () => {
  const of = (spec: string, labels = "") =>
    only(entry(`{hosts: [a.example], ports: [${HTTP}], ${spec}}`, { labels }));
  const own = of("addresses: [192.0.2.1, 192.0.2.2/32, 10.0.0.0/8]");
  assert.deepEqual(own.addresses, ["192.0.2.1", "192.0.2.2"]);
  assert.deepEqual(own.serviceEntry?.ranges, ["10.0.0.0/8"]);
  const [ipv4 = "", ipv6 = ""] = of("resolution: DNS").addresses ?? [];
  assert.match(ipv4, /^240\.240\.\d+\.\d+$/);
  assert.match(ipv6, /^2001:2::f0f0:[0-9a-f]+$/);
  assert.equal(of("resolution: NONE").addresses, undefined);
  const off = "networking.istio.io/enable-autoallocate-ip: 'false'";
  assert.equal(of("resolution: DNS", off).addresses, undefined);
});

test("automatic addresses are one for each name, whoever else is there", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 300 }), (names) => {
      const found = automaticAddresses(names);
      assert.equal(new Set([...found.values()].map(({ ipv4 }) => ipv4)).size, names.length);
      for (const { ipv4 } of found.values()) assert.match(ipv4, /^240\.240\.\d{1,3}\.\d{1,3}$/);
    }),
    { numRuns: 30 },
  );
});

test("exportTo: whoever it is not for does not know the host", () => {
  const spec = `{hosts: [a.example], ports: [${HTTP}], exportTo: [shop]}`;
  assert.deepEqual(destinationsOf(entry(spec)), []);
  assert.equal(only(entry(spec), "shop/api-0").host, "a.example");
});

const defaults: [words: string, known: boolean][] = [
  ["[]", true],
  ['["*"]', true],
  ['["."]', false],
  ['["*", "."]', false],
  ["[shop]", false],
];
for (const [words, known] of defaults) {
  test(`defaultServiceExportTo: ${words}: other namespaces ${known ? "know" : "do not know"} an entry that does not say it`, () => {
    const config = `
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec: {meshConfig: {defaultServiceExportTo: ${words}}}`;
    const spec = (more: string) => `{hosts: [a.example], ports: [${HTTP}]${more}}`;
    assert.equal(destinationsOf(config + entry(spec("")), "shop/api-0").length, known ? 1 : 0);
    const said = spec(', exportTo: ["*"]');
    assert.equal(destinationsOf(config + entry(said), "shop/api-0").length, 1);
  });
}

test("of several namespaces that define a host the caller's own counts", () => {
  const at = (address: string) =>
    `{hosts: [a.example], resolution: STATIC, ports: [${HTTP}], endpoints: [{address: ${address}}]}`;
  const both =
    entry(at("192.0.2.1"), { in: "shop" }) + entry(at("192.0.2.2"), { in: "web", name: "zz" });
  assert.deepEqual(place(only(both)), ["192.0.2.2:80"]);
  assert.deepEqual(place(only(both, "shop/api-0")), ["192.0.2.1:80"]);
});

test("the root namespace says where a host is, however old another namespace's entry is", () => {
  const at = (address: string) =>
    `{hosts: [a.example], resolution: STATIC, ports: [${HTTP}], endpoints: [{address: ${address}}]}`;
  const evil = entry(at("192.0.2.66"), { in: "evil", name: "aaa" });
  const root = entry(at("192.0.2.1"), { in: "istio-system", name: "zzz" });
  assert.deepEqual(place(only(evil + root)), ["192.0.2.1:80"]);
  const own = entry(at("192.0.2.2"), { in: "web", name: "zzz" });
  assert.deepEqual(place(only(evil + root + own)), ["192.0.2.2:80"]);
});

test("nobody takes a host's automatic address by a host that hashes alike", () => {
  const victim = "web/a.example";
  const [{ ipv4: before = "" } = {}] = automaticAddresses([victim]).values();
  const twin = Array.from({ length: 1_000_000 }, (_, index) => `h${index}.example`).find(
    (host) => automaticAddresses([`evil/${host}`]).get(`evil/${host}`)?.ipv4 === before,
  );
  assert.ok(twin);
  const spec = (host: string) => `{hosts: [${host}], resolution: DNS, ports: [${HTTP}]}`;
  const applied = (yaml: string, day: number): string =>
    yaml.replace("metadata: {", `metadata: {creationTimestamp: "2026-01-0${day}T00:00:00Z", `);
  const yaml =
    applied(entry(spec("a.example"), { name: "victim" }), 1) +
    applied(entry(spec(twin), { in: "evil", name: "aaa" }), 2);
  const found = destinationsOf(yaml);
  assert.equal(found.find(({ host }) => host === "a.example")?.addresses?.[0], before);
  assert.notEqual(found.find(({ host }) => host === twin)?.addresses?.[0], before);
});

test("who comes first has an automatic address, however many others want one", () => {
  const names = ["web/a.example", ...Array.from({ length: 70_000 }, (_, index) => `aaa/${index}`)];
  const found = automaticAddresses(names);
  assert.ok(found.has("web/a.example"));
  assert.equal(found.size, 65_534);
});

test("no namespace takes all automatic addresses", () => {
  const spec = (...hosts: readonly string[]) =>
    `{hosts: [${hosts}], resolution: DNS, ports: [${HTTP}]}`;
  const hostsOf = (at: number) => Array.from({ length: 250 }, (_, n) => `h${n}.e${at}.example`);
  const many = Array.from({ length: 36 }, (_, at) =>
    entry(spec(...hostsOf(at)), { in: "aaa", name: `a${at}` }),
  ).join("");
  const yaml = many + entry(spec("z.example"));
  const addressed = destinationsOf(yaml).filter(({ addresses = [] }) => addresses.length > 0);
  assert.equal(addressed.length, 8_193);
  assert.ok(addressed.some(({ host }) => host === "z.example"));
});

test("a service of the mesh keeps its host, but for callers whose own namespace says otherwise", () => {
  const spec = `{hosts: [api.shop.svc.cluster.local], resolution: STATIC, ports: [${HTTP}], endpoints: [{address: 192.0.2.1}]}`;
  assert.deepEqual(place(only(entry(spec, { in: "web" }))), ["192.0.2.1:80"]);
  assert.deepEqual(destinationsOf(entry(spec, { in: "web" }), "shop/api-0"), []);
  const all = viewOf(entry(spec, { in: "web" })).outbound.destinations;
  assert.equal(all.filter(({ host }) => host === "api.shop.svc.cluster.local").length, 1);
});

test("subjectAltNames: names of the mesh are identities (TLS-34), and all are what TLS of others must show (TLS-38)", () => {
  const names = "subjectAltNames: [spiffe://cluster.local/ns/a/sa/b, b.example]";
  const spec = `{hosts: [a.example], location: MESH_INTERNAL, resolution: STATIC, ${names}, ports: [${HTTP}], endpoints: [{address: 192.0.2.1, serviceAccount: vm}]}`;
  const { identities } = only(entry(spec));
  assert.deepEqual(identities, [
    "spiffe://cluster.local/ns/a/sa/b",
    "spiffe://cluster.local/ns/web/sa/vm",
  ]);
  const simple = rule("{host: a.example, trafficPolicy: {tls: {mode: SIMPLE}}}");
  assert.deepEqual(only(entry(spec) + simple).tlsOrigination, {
    mode: "SIMPLE",
    subjectAltNames: ["spiffe://cluster.local/ns/a/sa/b", "b.example"],
    verification: "name",
    material: { from: "files" },
  });
});

const SECRET = `
---
apiVersion: v1
kind: Secret
metadata: {name: outside, namespace: web}
stringData: {ca.crt: authorities, tls.crt: certificate, tls.key: private}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: web}
rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: caller, namespace: web}]`;

const credentials: readonly [name: string, spec: string, client: string, material: unknown][] = [
  [
    "a rule that selects its clients gives them the Secret (TLS-39)",
    "{host: a.example, workloadSelector: {matchLabels: {app: caller}}, trafficPolicy: {tls: {mode: MUTUAL, credentialName: outside, sni: a.example}}}",
    "web/caller-0",
    {
      from: "secret",
      name: "web/outside",
      caPem: "authorities",
      certificatePem: "certificate",
      keyPem: "private",
    },
  ],
  [
    "mode SIMPLE has no use for its key",
    "{host: a.example, workloadSelector: {matchLabels: {app: caller}}, trafficPolicy: {tls: {mode: SIMPLE, credentialName: outside}}}",
    "web/caller-0",
    { from: "secret", name: "web/outside", caPem: "authorities" },
  ],
  [
    "a rule for all gives it to nobody (TLS-39, QK-80)",
    "{host: a.example, trafficPolicy: {tls: {mode: MUTUAL, credentialName: outside}}}",
    "web/caller-0",
    {
      from: "nowhere",
      problem:
        'credentialName "outside" needs a workloadSelector in the DestinationRule, unless a gateway calls (TLS-39)',
    },
  ],
  [
    "a Secret of another namespace is none",
    "{host: a.example, trafficPolicy: {tls: {mode: MUTUAL, credentialName: outside}}}",
    "shop/api-0",
    {
      from: "nowhere",
      problem:
        'credentialName "outside" needs a workloadSelector in the DestinationRule, unless a gateway calls (TLS-39)',
    },
  ],
  [
    "an account that may not list Secrets has none",
    "{host: a.example, workloadSelector: {matchLabels: {app: other}}, trafficPolicy: {tls: {mode: SIMPLE, credentialName: outside}}}",
    "web/other-0",
    {
      from: "nowhere",
      problem:
        "service account web/other may not list Secrets: a Role with the resource secrets and the verb list, and a RoleBinding, would allow it",
    },
  ],
  [
    "one that is not there",
    "{host: a.example, workloadSelector: {matchLabels: {app: caller}}, trafficPolicy: {tls: {mode: SIMPLE, credentialName: gone}}}",
    "web/caller-0",
    { from: "nowhere", problem: "Secret web/gone is not there" },
  ],
];

for (const [name, spec, client, material] of credentials) {
  test(`credentials: ${name}`, () => {
    const host = `{hosts: [a.example], resolution: DNS, ports: [${HTTP}]}`;
    const view = viewOf(entry(host) + rule(spec) + SECRET, client);
    const destination = view.outbound.destinations.find((one) => one.host === "a.example");
    assert.deepEqual(destination?.tlsOrigination?.material, material);
    assert.equal(
      destination?.tlsOrigination?.verification,
      spec.includes("sni") ? "authority" : "name",
    );
  });
}

test("no key of a Secret is in the view of anybody else", () => {
  const selecting = rule(
    "{host: a.example, workloadSelector: {matchLabels: {app: caller}}, trafficPolicy: {tls: {mode: MUTUAL, credentialName: outside}}}",
  );
  const yaml =
    entry(`{hosts: [a.example], resolution: DNS, ports: [${HTTP}]}`) + selecting + SECRET;
  assert.ok(JSON.stringify(viewOf(yaml)).includes("private"));
  assert.ok(!JSON.stringify(viewOf(yaml, "shop/api-0")).includes("private"));
});
