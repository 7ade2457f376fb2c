import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseResources } from "./parse-resources.ts";

const issues = (text: string): string[] =>
  parseResources(text, "mesh.yaml").issues.map(
    ({ source, path, problem }) => `${source.file}:${source.line} ${path}: ${problem}`,
  );
const refs = (text: string): string[] =>
  parseResources(text, "mesh.yaml").resources.map(
    ({ kind, meta }) => `${meta.source.line} ${kind} ${meta.namespace}/${meta.name}`,
  );

test("several documents, comments, empty documents and a list", () => {
  const text = `# a comment
---
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels: {istio-injection: enabled}
---
# nothing here
---
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: v1
  kind: ServiceAccount
  metadata: {name: api, namespace: shop}
- apiVersion: security.istio.io/v1
  kind: PeerAuthentication
  metadata: {name: default}
---
null
...
`;
  assert.deepEqual(issues(text), []);
  assert.deepEqual(refs(text), [
    "3 Namespace /shop",
    "15 ServiceAccount shop/api",
    "18 PeerAuthentication default/default",
  ]);
});

test("what kubectl prints is accepted", () => {
  const text = `apiVersion: v1
kind: Namespace
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {"apiVersion":"v1"}
  creationTimestamp: "2026-01-31T12:00:00Z"
  labels:
    kubernetes.io/metadata.name: shop
  managedFields: [{manager: kubectl}]
  name: shop
  resourceVersion: "1"
  uid: 0e4b
spec: {finalizers: [kubernetes]}
status: {phase: Active}
`;
  const { resources, notices } = parseResources(text, "mesh.yaml");
  assert.deepEqual(resources, [
    {
      kind: "Namespace",
      meta: {
        apiVersion: "v1",
        namespace: "",
        name: "shop",
        labels: { "kubernetes.io/metadata.name": "shop" },
        annotations: {
          "kubectl.kubernetes.io/last-applied-configuration": '{"apiVersion":"v1"}\n',
        },
        creationTimestamp: "2026-01-31T12:00:00Z",
        source: { file: "mesh.yaml", line: 1 },
      },
    },
  ]);
  assert.deepEqual(notices, []);
});

test("JSON is YAML", () => {
  const text = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  assert.deepEqual(refs(text), ["1 Namespace /shop"]);
});

test("anchors and merge keys", () => {
  const text = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: &name api
  labels: &labels {app: *name, tier: back}
  annotations:
    <<: *labels
    tier: own
`;
  const [resource] = parseResources(text, "f").resources;
  assert.deepEqual(resource?.meta.labels, { app: "api", tier: "back" });
  assert.deepEqual(resource?.meta.annotations, { tier: "own", app: "api" });
});

test("an anchor given anew counts from there on", () => {
  const text = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: &name one
  labels: {a: *name, b: &name two, c: *name}
`;
  assert.deepEqual(parseResources(text, "f").resources[0]?.meta.labels, {
    a: "one",
    b: "two",
    c: "two",
  });
});

test("every fault of a broken file is told at once, in its order", () => {
  const text = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: Default
  namespace: shop
spec:
  mtsl: {mode: STRICT}
  mtls: {mode: STRCT}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop}
spec:
  action: DENY
  rules:
  - from:
    - source: {ipBlocks: [10.0.0.0/33], principals: [8]}
    to:
    - operation: {paths: ["/{**}/{*}"], ports: [80]}
    when:
    - {key: nonsense, values: [a]}
---
apiVersion: v1
kind: Pod
metadata: {name: s}
---
a: [1, 2
---
apiVersion: v1
kind: Namespace
metadata: {name: good}
---
apiVersion: v1
kind: Namespace
kind: Namespace
metadata: {name: bad}
`;
  const found = issues(text);
  const expected: [where: string, problem: RegExp][] = [
    ["mesh.yaml:4 metadata.name", /"Default" is not a DNS subdomain/],
    ["mesh.yaml:7 spec.mtsl", /is not a known field; did you mean mtls\?/],
    ["mesh.yaml:8 spec.mtls.mode", /is "STRCT"/],
    ["mesh.yaml:12 metadata.name", /is missing/],
    ["mesh.yaml:17 spec.rules[0].from[0].source.principals[0]", /is the number 8/],
    ["mesh.yaml:17 spec.rules[0].from[0].source.ipBlocks[0]", /is not an IP address/],
    ["mesh.yaml:19 spec.rules[0].to[0].operation.ports[0]", /is the number 80/],
    ["mesh.yaml:19 spec.rules[0].to[0].operation.paths[0]", /last operator/],
    ["mesh.yaml:21 spec.rules[0].when[0].key", /"nonsense" is not a known key/],
    ["mesh.yaml:24 kind", /not supported yet: Pod/],
    ["mesh.yaml:28 ", /is not valid YAML/],
    ["mesh.yaml:35 ", /"kind" is given twice/],
  ];
  assert.deepEqual(
    found.map((issue) => issue.slice(0, issue.indexOf(": "))).toSorted(),
    expected.map(([where]) => where).toSorted(),
    found.join("\n"),
  );
  for (const [where, problem] of expected) {
    assert.ok(
      found.some((issue) => issue.startsWith(`${where}: `) && problem.test(issue)),
      `${where} ${problem}`,
    );
  }
  const lines = found.map((issue) => Number(/:(\d+) /.exec(issue)?.[1]));
  assert.deepEqual(
    lines,
    lines.toSorted((one, other) => one - other),
  );
  assert.deepEqual(refs(text), ["29 Namespace /good"]);
});

const kinds: [text: string, issue: RegExp][] = [
  ["apiVersion: v1\nkind: Pod", /^mesh\.yaml:2 kind: not supported yet: Pod$/],
  ["apiVersion: batch/v1\nkind: CronJob", /kind: not supported yet: CronJob$/],
  ["apiVersion: batch/v1beta1\nkind: Job", /is not an apiVersion of Job; expected batch\/v1$/],
  ["apiVersion: apps/v1\nkind: DaemonSet", /kind: not supported yet: DaemonSet$/],
  ["apiVersion: apps/v1beta1\nkind: StatefulSet", /apiVersion of StatefulSet; expected apps\/v1$/],
  [
    "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: Gateway",
    /v1alpha2" is not an apiVersion of Gateway; expected gateway\.networking\.k8s\.io\/v1, /,
  ],
  [
    "apiVersion: gateway.networking.k8s.io/v1\nkind: KubernetesGateway",
    /"KubernetesGateway" is not a known kind/,
  ],
  [
    "apiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute",
    /:2 kind: not supported yet: GRPCRoute$/,
  ],
  [
    "apiVersion: networking.istio.io/v1\nkind: EnvoyFilter",
    /expected networking\.istio\.io\/v1alpha3$/,
  ],
  [
    "apiVersion: networking.istio.io/v1\nkind: ProxyConfig",
    /expected networking\.istio\.io\/v1beta1$/,
  ],
  [
    "apiVersion: networking.istio.io/v1\nkind: Sidcar",
    /"Sidcar" is not a known kind; did you mean Sidecar\?$/,
  ],
  [
    "apiVersion: security.istio.io/v1\nkind: AuthorizationPolcy",
    /kind: "AuthorizationPolcy" is not a known kind; did you mean AuthorizationPolicy\?$/,
  ],
  ["apiVersion: example/v1\nkind: Wheel", /kind: "Wheel" is not a known kind$/],
  ["apiVersion: v1\nkind: constructor", /kind: "constructor" is not a known kind$/],
  [
    "apiVersion: apps/v1beta1\nkind: Deployment",
    /:1 apiVersion: "apps\/v1beta1" is not an apiVersion of Deployment; expected apps\/v1$/,
  ],
  [
    "apiVersion: security.istio.io/v2\nkind: PeerAuthentication",
    /expected security\.istio\.io\/v1, security\.istio\.io\/v1beta1$/,
  ],
  ["kind: Namespace", /apiVersion: is missing$/],
  ["kind: 5", /kind: is the number 5; expected text: write "5"$/],
  ["metadata: {name: a}", /:1 kind: is missing: not a resource, and no MeshConfig either$/],
  ["- 1", /:1 : is not a resource; expected a map/],
  ["text", /:1 : is not a resource; expected a map/],
  [
    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}}",
    /:4 items\[0\]\.kind: not supported yet: Pod$/,
  ],
  [
    "apiVersion: v1\nkind: List\nitems: []\nitms: []",
    /:4 itms: is not a known field; did you mean items\?$/,
  ],
];
for (const [text, issue] of kinds) {
  test(`${JSON.stringify(text)} is refused`, () => {
    const found = issues(text);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
  });
}

const ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n";
const metadata: [name: string, fields: string, issue: RegExp][] = [
  ["name missing", "  namespace: a", /:3 metadata\.name: is missing$/],
  ["generateName", "  generateName: a-", /:3 metadata\.name: is missing$/],
  ["name", "  name: a_b", /:4 metadata\.name: "a_b" is not a DNS subdomain/],
  ["name too long", `  name: ${"a".repeat(254)}`, /is not a DNS subdomain/],
  ["namespace", "  name: a\n  namespace: a.b", /:5 metadata\.namespace: "a\.b" is not a DNS label/],
  [
    "label that is a boolean",
    "  name: a\n  labels:\n    x: true",
    /:6 metadata\.labels\.x: is the boolean true; expected text: write "true"$/,
  ],
  [
    "label that is a number",
    "  name: a\n  labels: {x: 8}",
    /labels\.x: is the number 8; expected text: write "8"$/,
  ],
  [
    "label that kubectl reads as a boolean",
    "  name: a\n  labels: {x: on}",
    /labels\.x: is the boolean on; expected text: write "on"$/,
  ],
  ["label without a value", "  name: a\n  labels: {x: }", /labels\.x: is empty; expected text$/],
  ["label value", "  name: a\n  labels: {x: a b}", /labels\.x: "a b" is not a label value/],
  ["label key", "  name: a\n  labels: {a/b/c: d}", /labels\["a\/b\/c"\]: is not a label key/],
  ["labels as a list", "  name: a\n  labels: [a]", /metadata\.labels: is a list; expected a map$/],
  [
    "annotation that is no text",
    "  name: a\n  annotations: {x: 1.5}",
    /annotations\.x: is the number 1\.5; expected text: write "1\.5"$/,
  ],
  [
    "timestamp",
    "  name: a\n  creationTimestamp: yesterday",
    /creationTimestamp: "yesterday" is not a time/,
  ],
  [
    "unknown field",
    "  name: a\n  label: {}",
    /:5 metadata\.label: is not a known field; did you mean labels\?$/,
  ],
];
for (const [name, fields, issue] of metadata) {
  test(`metadata: ${name} is refused`, () => {
    const found = issues(`${ACCOUNT}${fields}`);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
  });
}

test("a namespace lives in none, and has a DNS label for a name", () => {
  const text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b, namespace: c}";
  assert.deepEqual(
    parseResources(text, "f").issues.map(({ path }) => path),
    ["metadata.name", "metadata.namespace"],
  );
});

test("a ServiceAccount's known fields without effect are told", () => {
  const text = `${ACCOUNT}  name: a\nimagePullSecrets: [{name: y}]\nsecrets: [{name: x}]`;
  const { resources, notices } = parseResources(text, "f");
  assert.equal(resources.length, 1);
  assert.deepEqual(
    notices.map(({ message }) => message),
    ["accepted, without effect here yet: secrets, imagePullSecrets"],
  );
});

const limits: [name: string, text: string, problem: RegExp][] = [
  ["brackets", "[".repeat(200_000), /nested deeper than 64/],
  ["dashes", "- ".repeat(20_000), /nested deeper than 64/],
  [
    "block maps",
    Array.from({ length: 300 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    /nested deeper than 64/,
  ],
  ["just too deep", `${"[".repeat(66)}${"]".repeat(66)}`, /nested deeper than 64/],
  ["an alias inside itself", "a: &a [*a]", /nested deeper than 64/],
  [
    "an alias bomb",
    `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from("bcdefghi", (name, at) => `${name}: &${name} [${`*${"abcdefgh"[at]},`.repeat(9)}]`).join("\n")}`,
    /repeats more than 20000 values/,
  ],
  ["length", "x".repeat(9 * 1024 * 1024), /longer than 8388608 characters/],
  ["syntax errors", "]".repeat(50_000), /more than 1000 syntax errors/],
  ["documents", "---\n".repeat(30_000), /more than 20000 documents/],
];
for (const [name, text, problem] of limits) {
  test(`limits: ${name}`, () => {
    const started = performance.now();
    const { issues: found, resources } = parseResources(text, "f");
    assert.equal(found.length, 1);
    assert.match(found[0]?.problem ?? "", problem);
    assert.deepEqual(resources, []);
    assert.ok(performance.now() - started < 5_000);
  });
}

test("many aliases of many anchors are read in linear time", () => {
  const lines = Array.from(
    { length: 5_000 },
    (_, at) => `    k${at}: &a${at} "1"\n    l${at}: *a${at}\n`,
  );
  const started = performance.now();
  assert.equal(issues(`${ACCOUNT}  name: a\n  annotations:\n${lines.join("")}`).length, 0);
  assert.ok(performance.now() - started < 5_000);
});

test("law: parsing never throws, and what is refused gives an issue", () => {
  const words = fc.constantFrom(
    "apiVersion: v1\n",
    "kind: List\n",
    "kind: Service\n",
    "items:\n",
    "- ",
    "metadata: ",
    "{name: a}\n",
    "spec:\n",
    "  ",
    "ports: ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    ": ",
    "|\n",
    ">-\n",
    "'",
    '"',
    "#",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "!!set ",
    "!!binary ",
    "!x ",
    "\t",
    "null",
    "2001-01-01",
    "0x10",
    ".inf",
    "__proto__: ",
    "\u0000",
    "\ud800",
  );
  const text = fc.oneof(
    fc.array(words, { maxLength: 30 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 200 }),
  );
  fc.assert(
    fc.property(text, (written) => {
      const parsed = parseResources(written, "f");
      for (const { source, problem } of parsed.issues) {
        assert.ok(source.line >= 1 && problem.length > 0 && problem.length < 2_000);
      }
    }),
    { numRuns: 3_000 },
  );
});

const VERSIONS = new Map([
  ["Deployment", "apps/v1"],
  ["StatefulSet", "apps/v1"],
  ["PeerAuthentication", "security.istio.io/v1"],
  ["AuthorizationPolicy", "security.istio.io/v1"],
  ["DestinationRule", "networking.istio.io/v1"],
  ["Job", "batch/v1"],
  ["ImageCommands", "hauberk.dev/v1"],
  ["RemoteCluster", "hauberk.dev/v1"],
  ["RateLimit", "hauberk.dev/v1alpha1"],
]);

test("law: any JSON value is parsed without throwing", () => {
  const kind = fc.constantFrom(
    "Service",
    "Deployment",
    "StatefulSet",
    "PeerAuthentication",
    "AuthorizationPolicy",
    "ConfigMap",
    "Secret",
    "Job",
    "DestinationRule",
    "ImageCommands",
    "RemoteCluster",
    "RateLimit",
    "List",
  );
  const name = fc.constantFrom(
    "spec",
    "metadata",
    "name",
    "labels",
    "selector",
    "matchLabels",
    "mtls",
    "mode",
    "portLevelMtls",
    "rules",
    "from",
    "to",
    "when",
    "source",
    "operation",
    "ports",
    "port",
    "template",
    "containers",
    "env",
    "data",
    "stringData",
    "mesh",
    "envFrom",
    "valueFrom",
    "volumes",
    "volumeMounts",
    "configMap",
    "livenessProbe",
    "httpGet",
    "trafficPolicy",
    "portLevelSettings",
    "tls",
    "subsets",
    "exportTo",
    "images",
    "items",
    "annotations",
    "traffic.sidecar.istio.io/excludeInboundPorts",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "volumeClaimTemplates",
    "projected",
    "sources",
    "serviceAccountToken",
    "clusterIP",
    "clusterIPs",
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom(null, true, 8, "STRICT", "a", "", 1.5),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(name, tie("value"), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(kind, fc.dictionary(name, value, { maxKeys: 5 }), (of, fields) => {
      const document = { apiVersion: VERSIONS.get(of) ?? "v1", kind: of, ...fields };
      const parsed = parseResources(JSON.stringify(document, undefined, 1), "f");
      if (of !== "List") assert.equal(parsed.resources.length === 1, parsed.issues.length === 0);
    }),
    { numRuns: 3_000 },
  );
});

test("of a List 20,000 items are read, and more are a fault", () => {
  const list = (count: number): string =>
    `apiVersion: v1\nkind: List\nitems:\n${"- {}\n".repeat(count)}`;
  const problems = (count: number): (string | undefined)[] =>
    [parseResources(list(count), "f").issues[0]].map((issue) => issue?.problem);
  assert.deepEqual(problems(20_001), ["has more than 20000 items"]);
  assert.match(problems(20_000)[0] ?? "", /^is missing: not a resource/);
});

test("rules beyond the schema's bound are refused for their number, and not read", () => {
  const rules = `${"- {}\n".repeat(513)}${"- {form: 1, to: 5}\n".repeat(5_000)}`;
  const text = `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec:\n  rules:\n${rules.replaceAll(/^/gm, "  ")}`;
  const { resources, issues } = parseResources(text.trimEnd(), "f");
  assert.deepEqual(
    [resources.length, issues.map(({ problem }) => problem)],
    [0, ["has 5513 items; at most 512 are allowed"]],
  );
});
