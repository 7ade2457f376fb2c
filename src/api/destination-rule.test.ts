import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";

const HEAD = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
`;
const parse = (spec: string) => parseResources(`${HEAD}${spec}`, "mesh.yaml");
const issues = (spec: string): string[] =>
  parse(spec).issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);
const notices = (spec: string): string[] =>
  parse(spec).notices.map(({ source, path, message }) => `${source.line} ${path}: ${message}`);

function rule(spec: string) {
  assert.deepEqual(issues(spec), []);
  const [resource] = parse(spec).resources;
  assert.ok(resource?.kind === "DestinationRule");
  return resource;
}
const withTls = (tls: string): string => `spec: {host: reviews, trafficPolicy: {tls: {${tls}}}}`;

for (const version of ["v1", "v1beta1", "v1alpha3"]) {
  test(`VAL-1: networking.istio.io/${version} is served`, () => {
    const text = HEAD.replace("io/v1", `io/${version}`);
    assert.deepEqual(parseResources(`${text}spec: {host: a}`, "f").issues, []);
  });
}

test("a rule that says nothing of TLS leaves it to auto-mTLS, for all clients", () => {
  const { meta, ...rest } = rule("spec: {host: reviews}");
  assert.equal(meta.source.line, 1);
  assert.deepEqual(rest, {
    kind: "DestinationRule",
    host: "reviews",
    subsets: [],
    exportTo: ["*"],
    exportedByDefault: true,
  });
});

test("all that is used", () => {
  const { meta: _meta, ...rest } = rule(`spec:
  host: "*.shop.svc.cluster.local"
  trafficPolicy:
    tls: {mode: ISTIO_MUTUAL, sni: outbound_.80_._.a.b, subjectAltNames: ["spiffe://td/ns/a/sa/b"]}
    portLevelSettings:
    - {port: {number: 80}, tls: {mode: DISABLE}}
    - {port: {number: 81}, tls: {mode: ISTIO_MUTUAL}}
    - {port: {number: 82}, loadBalancer: {simple: RANDOM}}
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}
  exportTo: ["."]
  workloadSelector: {matchLabels: {app: web}}`);
  assert.deepEqual(rest, {
    kind: "DestinationRule",
    host: "*.shop.svc.cluster.local",
    trafficPolicy: {
      tls: {
        mode: "ISTIO_MUTUAL",
        sni: "outbound_.80_._.a.b",
        subjectAltNames: ["spiffe://td/ns/a/sa/b"],
      },
      ports: new Map<number, unknown>([
        [80, { tls: { mode: "DISABLE" } }],
        [81, { tls: { mode: "ISTIO_MUTUAL" } }],
        [82, { loadBalancer: { simple: "RANDOM" } }],
      ]),
    },
    subsets: [
      { name: "v1", labels: { version: "v1" } },
      {
        name: "v2",
        labels: {},
        trafficPolicy: { loadBalancer: { simple: "ROUND_ROBIN" }, ports: new Map() },
      },
    ],
    exportTo: ["shop"],
    workloadSelector: { app: "web" },
  });
});

test("TLS-32: an empty sni and an empty list of names are left to be derived", () => {
  const { trafficPolicy } = rule(withTls('mode: ISTIO_MUTUAL, sni: "", subjectAltNames: []'));
  assert.deepEqual(trafficPolicy?.tls, { mode: "ISTIO_MUTUAL" });
});

test("what is not carried is told in one notice", () => {
  const spec = `spec:
  host: reviews
  trafficPolicy:
    loadBalancer: {simple: ROUND_ROBIN}
    connectionPool: {tcp: {maxConnections: 7}}
    outlierDetection: {minHealthPercent: 20}
    proxyProtocol: {version: V1}
    retryBudget: {percent: 20}
    portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]
  subsets:
  - {name: v1, labels: {version: v1}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}
  - {name: v2, trafficPolicy: {tunnel: {targetHost: a, targetPort: 1}}}`;
  assert.equal(rule(spec).subsets.length, 2);
  assert.equal(notices(spec).length, 1);
  const unused = /without effect here yet: (.*)$/.exec(notices(spec)[0] ?? "")?.[1]?.split(", ");
  assert.deepEqual(unused?.toSorted(), [
    "spec.subsets[].trafficPolicy.tunnel",
    "spec.trafficPolicy.proxyProtocol",
    "spec.trafficPolicy.retryBudget",
  ]);
});

test("QK-83 a subset may have TLS of its own, and its ports too", () => {
  const mutual = "tls: {mode: ISTIO_MUTUAL}";
  const ofPort = `portLevelSettings: [{port: {number: 80}, ${mutual}}]`;
  const spec = `spec:
  host: reviews
  trafficPolicy: {${mutual}}
  subsets:
  - {name: v1, trafficPolicy: {${mutual}}}
  - {name: v2, trafficPolicy: {${ofPort}}}`;
  assert.equal(rule(spec).subsets.length, 2);
});

const told: [name: string, spec: string, notice: RegExp][] = [
  ["tls without a mode is plaintext", withTls(""), /^4 .*tls: has no mode, so it is DISABLE/],
  [
    "VAL-63: certificates beside ISTIO_MUTUAL",
    withTls("mode: ISTIO_MUTUAL, caCertificates: /a"),
    /tls\.caCertificates: has no effect in mode ISTIO_MUTUAL$/,
  ],
  [
    "VAL-63: a credential beside ISTIO_MUTUAL",
    withTls("mode: ISTIO_MUTUAL, credentialName: a"),
    /credentialName: has no effect in mode ISTIO_MUTUAL$/,
  ],
  [
    "a certificate of its own beside SIMPLE",
    withTls("mode: SIMPLE, credentialName: '', caCertificates: /a, clientCertificate: /c"),
    /clientCertificate: has no effect in mode SIMPLE$/,
  ],
  [
    "TLS-37: a server name without subjectAltNames",
    withTls("mode: SIMPLE, caCertificates: /a, sni: a"),
    /tls\.sni: .* any certificate of the trusted authorities is accepted/,
  ],
  [
    "verification that is skipped",
    withTls("mode: SIMPLE, insecureSkipVerify: true, sni: a"),
    /insecureSkipVerify: whoever answers is believed/,
  ],
  [
    "VAL-63: skipped verification beside ISTIO_MUTUAL",
    withTls("mode: ISTIO_MUTUAL, insecureSkipVerify: true"),
    /insecureSkipVerify: has no effect in mode ISTIO_MUTUAL$/,
  ],
  [
    "a server name without TLS",
    withTls("mode: DISABLE, sni: a"),
    /tls\.sni: has no effect in mode DISABLE$/,
  ],
  [
    "VAL-4: a selector without labels",
    "spec: {host: a, workloadSelector: {}}",
    /workloadSelector: has no labels/,
  ],
];
for (const [name, spec, notice] of told) {
  test(`${name} is told`, () => {
    rule(spec);
    assert.equal(notices(spec).length, 1, notices(spec).join("\n"));
    assert.match(notices(spec)[0] ?? "", notice);
  });
}

const originated: [tls: string, read: object][] = [
  ["mode: SIMPLE, caCertificates: /a", { mode: "SIMPLE", caCertificates: "/a" }],
  ["mode: SIMPLE, caCertificates: system", { mode: "SIMPLE" }],
  [
    "mode: MUTUAL, clientCertificate: /c, privateKey: /k, caCertificates: /a, caCrl: /r",
    {
      mode: "MUTUAL",
      clientCertificate: "/c",
      privateKey: "/k",
      caCertificates: "/a",
      caCrl: "/r",
    },
  ],
  [
    "mode: MUTUAL, credentialName: a, sni: b, subjectAltNames: [c], insecureSkipVerify: false",
    { mode: "MUTUAL", credentialName: "a", sni: "b", subjectAltNames: ["c"] },
  ],
];
for (const [tls, read] of originated) {
  test(`TLS-31 {${tls}} is read`, () => {
    assert.deepEqual(rule(withTls(tls)).trafficPolicy?.tls, read);
  });
}

test("VAL-66: SIMPLE without caCertificates is told", () => {
  assert.match(notices(withTls("mode: SIMPLE")).join("\n"), /tls: has no caCertificates/);
  assert.deepEqual(notices(withTls("mode: SIMPLE, caCertificates: /a")), []);
});

const OWN = "clientCertificate: /c, privateKey: /k";
const invalid: [name: string, spec: string, ...issues: RegExp[]][] = [
  [
    "a relative path",
    withTls("mode: SIMPLE, caCertificates: a"),
    /caCertificates: "a" is no absolute path$/,
  ],
  ["mode", withTls("mode: MUTUL"), /mode: is "MUTUL"; expected one of DISABLE, SIMPLE, MUTUAL/],
  [
    "VAL-60",
    withTls("mode: MUTUAL"),
    /clientCertificate: is missing; mode MUTUAL needs it$/,
    /privateKey: is missing; mode MUTUAL needs it$/,
  ],
  [
    "VAL-61",
    withTls("mode: MUTUAL, credentialName: a, caCrl: /c"),
    /caCrl: must not be given together with credentialName$/,
  ],
  [
    "VAL-62",
    withTls("mode: SIMPLE, insecureSkipVerify: true, caCertificates: /a, subjectAltNames: [a]"),
    /caCertificates: must not be given together with insecureSkipVerify in mode SIMPLE$/,
    /subjectAltNames: must not be given together with insecureSkipVerify in mode SIMPLE$/,
  ],
  [
    "VAL-62",
    withTls(`mode: MUTUAL, ${OWN}, insecureSkipVerify: true, caCertificates: /a`),
    /caCertificates: must not be given together with insecureSkipVerify in mode MUTUAL$/,
  ],
  [
    "VAL-64",
    withTls("mode: SIMPLE, credentialName: 'configmap://other/a'"),
    /credentialName: "configmap:\/\/other\/a" is in another namespace$/,
  ],
  [
    "VAL-64: the own namespace is not foreign",
    withTls("mode: SIMPLE, credentialName: 'configmap://shop/a'"),
    /credentialName: not supported yet: a config map; a Secret is$/,
  ],
  [
    "VAL-65: empty policy",
    "spec: {host: a, trafficPolicy: {}}",
    /^4 spec\.trafficPolicy: must have at least one field$/,
  ],
  [
    "VAL-65: empty policy",
    "spec: {host: a, trafficPolicy: {tls: null, portLevelSettings: []}}",
    /trafficPolicy: must have at least one field$/,
  ],
  [
    "VAL-65: empty policy of a subset",
    "spec: {host: a, subsets: [{name: b, trafficPolicy: {}}]}",
    /subsets\[0\]\.trafficPolicy: must have at least one field$/,
  ],
  [
    "VAL-65: empty connection pool",
    "spec: {host: a, trafficPolicy: {connectionPool: {}}}",
    /connectionPool: must have at least one field$/,
  ],
  [
    "VAL-65: subset twice",
    "spec: {host: a, subsets: [{name: b}, {name: b}]}",
    /subsets\[1\]\.name: "b" is given twice$/,
  ],
  ["VAL-65: no host", "spec: {}", /^4 spec\.host: is missing$/],
  ["VAL-65: empty host", "spec: {host: ''}", /spec\.host: must not be empty$/],
  ["VAL-65: host", "spec: {host: a_b}", /"a_b" is not the name of a host$/],
  ["VAL-65: host", "spec: {host: a.*.b}", /"a\.\*\.b" is not the name of a host$/],
  ["VAL-65: host", "spec: {host: 10.0.0.1}", /"10\.0\.0\.1" is not the name of a host$/],
  ["VAL-65: exportTo", "spec: {host: a, exportTo: [~]}", /exportTo\[0\]: is empty/],
  ["VAL-65: exportTo", "spec: {host: a, exportTo: ['~']}", /"~" is neither a namespace nor/],
  ["VAL-65: exportTo", "spec: {host: a, exportTo: [B]}", /exportTo\[0\]: "B" is neither/],
  [
    "VAL-65: exportTo",
    "spec: {host: a, exportTo: [., shop]}",
    /exportTo\[1\]: "shop" is given twice$/,
  ],
  [
    "VAL-65: exportTo",
    "spec: {host: a, exportTo: ['*', b]}",
    /exportTo: has "\*" and namespaces: "\*" stands alone$/,
  ],
  [
    "VAL-65: selector and other namespaces",
    "spec: {host: a, exportTo: ['*'], workloadSelector: {matchLabels: {a: b}}}",
    /exportTo: must be only "\." in a rule with workloadSelector$/,
  ],
  [
    "port missing",
    "spec: {host: a, trafficPolicy: {portLevelSettings: [{tls: {mode: DISABLE}}]}}",
    /portLevelSettings\[0\]\.port\.number: is missing/,
  ],
  [
    "port alone",
    "spec: {host: a, trafficPolicy: {portLevelSettings: [{port: {number: 1}}]}}",
    /portLevelSettings\[0\]: must have at least one field beside port$/,
  ],
  [
    "port twice",
    "spec: {host: a, trafficPolicy: {portLevelSettings: [{port: {number: 1}, tls: {mode: DISABLE}}, {port: {number: 1}, tls: {mode: ISTIO_MUTUAL}}]}}",
    /portLevelSettings\[1\]\.port\.number: "1" is given twice$/,
  ],
  ["subset without a name", "spec: {host: a, subsets: [{}]}", /subsets\[0\]\.name: is missing$/],
  ["subset name", "spec: {host: a, subsets: [{name: a.b}]}", /"a\.b" is not a DNS label/],
  ["server name", withTls("mode: ISTIO_MUTUAL, sni: 'a b'"), /"a b" is not a server name$/],
  [
    "empty alternative name",
    withTls("mode: ISTIO_MUTUAL, subjectAltNames: ['']"),
    /subjectAltNames\[0\]: must not be empty$/,
  ],
  [
    "VAL-3: wildcard in the selector",
    "spec: {host: a, workloadSelector: {matchLabels: {a: 'b*'}}}",
    /workloadSelector\.matchLabels\.a: "b\*" has a wildcard/,
  ],
  [
    "VAL-2: unknown",
    "spec: {host: a, hots: b}",
    /hots: is not a known field; did you mean host\?$/,
  ],
  ["VAL-2: unknown in tls", withTls("mod: DISABLE"), /tls\.mod: is not a known field; did you mea/],
  [
    "VAL-2: unknown in a policy",
    "spec: {host: a, trafficPolicy: {tsl: {}, loadBalancer: {}}}",
    /trafficPolicy\.tsl: is not a known field; did you mean tls\?$/,
  ],
];
for (const [name, spec, ...expected] of invalid) {
  test(`${name}: ${spec} is refused`, () => {
    const found = issues(spec);
    assert.equal(found.length, expected.length, found.join("\n"));
    for (const issue of expected) {
      assert.ok(
        found.some((one) => issue.test(one)),
        `${issue} in ${found.join("\n")}`,
      );
    }
    assert.deepEqual(parse(spec).resources, []);
  });
}

for (const host of ["a", "a.b", "A.b.", "*", "*.b", "*-x.b", "1a.b2", "a.shop.svc.cluster.local"]) {
  test(`the host ${host} is accepted`, () => {
    assert.equal(rule(`spec: {host: ${JSON.stringify(host)}}`).host, host);
  });
}
