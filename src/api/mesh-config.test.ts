import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_MESH_SETTINGS, type MeshSettings } from "./mesh-settings.ts";
import { parseResources } from "./parse-resources.ts";

const issues = (text: string): string[] =>
  parseResources(text, "mesh.yaml").issues.map(
    ({ source, path, problem }) => `${source.line} ${path}: ${problem}`,
  );

function settings(text: string): MeshSettings {
  const { resources, issues: found } = parseResources(text, "mesh.yaml");
  assert.deepEqual(found, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "MeshConfig");
  assert.equal(resource.meta.name, "istio");
  assert.equal(resource.meta.namespace, "");
  return resource.settings;
}

const CONFIG = [
  "trustDomain: td1",
  "trustDomainAliases: [old]",
  "rootNamespace: mesh",
  "enableAutoMtls: false",
  "pathNormalization: {normalization: MERGE_SLASHES}",
  "meshMTLS: {minProtocolVersion: TLSV1_3}",
  "defaultConfig: {proxyMetadata: {SECRET_TTL: 1h}, proxyHeaders: {forwardedClientCert: SANITIZE}}",
  "outboundTrafficPolicy: {mode: REGISTRY_ONLY}",
];
const EXPECTED: MeshSettings = {
  ...DEFAULT_MESH_SETTINGS,
  trustDomain: "td1",
  trustDomainAliases: ["old"],
  rootNamespace: "mesh",
  enableAutoMtls: false,
  pathNormalization: "MERGE_SLASHES",
  minimumTlsVersion: "TLSv1.3",
  proxyMetadata: { SECRET_TTL: "1h" },
  proxyHeaders: { forwardedClientCert: "SANITIZE" },
  outboundTrafficPolicy: "REGISTRY_ONLY",
};
const indented = (spaces: number): string =>
  CONFIG.map((line) => `${" ".repeat(spaces)}${line}\n`).join("");
const CONFIG_MAP =
  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n";

const forms: [name: string, text: string][] = [
  ["a bare MeshConfig", indented(0)],
  ["Helm values", `meshConfig:\n${indented(2)}`],
  [
    "an IstioOperator",
    `apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  meshConfig:\n${indented(4)}`,
  ],
  ["the ConfigMap istio", `${CONFIG_MAP}data:\n  mesh: |-\n${indented(4)}`],
  ["the ConfigMap istio, folded", `${CONFIG_MAP}data: {mesh: ${JSON.stringify(indented(0))}}`],
];
for (const [name, text] of forms) {
  test(`${name} is read`, () => assert.deepEqual(settings(text), EXPECTED));
}

const defaults: [name: string, text: string][] = [
  ["a field without value", "trustDomain:"],
  ["Helm values", "meshConfig: {}"],
  ["a policy that is the default", "outboundTrafficPolicy: {mode: ALLOW_ANY}"],
  ["no providers", "extensionProviders: []"],
  ["Helm values without a value", "meshConfig:"],
  ["an IstioOperator", "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {}"],
  ["an empty text in the ConfigMap", `${CONFIG_MAP}data: {mesh: ""}`],
];
for (const [name, text] of defaults) {
  test(`${name}: the defaults`, () => assert.deepEqual(settings(text), DEFAULT_MESH_SETTINGS));
}

for (const [name, version] of [
  ["TLS_AUTO", "TLSv1.2"],
  ["TLSV1_2", "TLSv1.2"],
  ["TLSV1_3", "TLSv1.3"],
] as const) {
  test(`TLS-10: ${name} is ${version}`, () => {
    const text = `meshMTLS: {minProtocolVersion: ${name}}`;
    assert.equal(settings(text).minimumTlsVersion, version);
  });
}

const invalid: [name: string, text: string, issue: RegExp][] = [
  [
    "misspelt",
    "trustDomain: a\nrootNamspace: b",
    /^2 rootNamspace: is not a known field; did you mean rootNamespace\?$/,
  ],
  [
    "misspelt in defaultConfig",
    "defaultConfig:\n  proxyMetaData: {}",
    /^2 defaultConfig\.proxyMetaData: .*did you mean proxyMetadata\?$/,
  ],
  [
    "trust domain",
    "trustDomain: Cluster.Local",
    /^1 trustDomain: "Cluster\.Local" is not a trust domain/,
  ],
  [
    "alias",
    "trustDomain: a\ntrustDomainAliases:\n- b\n- c/d",
    /^4 trustDomainAliases\[1\]: "c\/d" is not a trust domain/,
  ],
  [
    "normalization",
    "pathNormalization: {normalization: ALL}",
    /^1 pathNormalization\.normalization: is "ALL"; expected one of DEFAULT, NONE/,
  ],
  ["TLS version", "meshMTLS: {minProtocolVersion: TLSV1_1}", /minProtocolVersion: is "TLSV1_1"/],
  [
    "unknown field of meshMTLS",
    "meshMTLS: {minProtocol: TLSV1_3}",
    /meshMTLS\.minProtocol: is not a known field$/,
  ],
  [
    "outbound policy",
    "outboundTrafficPolicy: {mode: allow_any}",
    /^1 outboundTrafficPolicy\.mode: is "allow_any"; expected one of REGISTRY_ONLY, ALLOW_ANY, ALLOW_ANY_DYNAMIC_DNS$/,
  ],
  ["boolean", "enableAutoMtls: 'false'", /enableAutoMtls: is "false"; expected true or false$/],
  [
    "metadata that is no text",
    "defaultConfig: {proxyMetadata: {A: 1}}",
    /proxyMetadata\.A: is the number 1/,
  ],
  [
    "Helm value",
    "meshConfig: {}\nglobl: {}",
    /^2 globl: is not a known field; did you mean global\?$/,
  ],
  [
    "operator field",
    "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  meshconfig: {}",
    /^4 spec\.meshconfig: .*did you mean meshConfig\?$/,
  ],
  [
    "operator version",
    "apiVersion: v1\nkind: IstioOperator",
    /^1 apiVersion: is not an apiVersion of IstioOperator; expected install/,
  ],
  ["ConfigMap without mesh", `${CONFIG_MAP}data: {}`, /^4 data\.mesh: is missing/],
  [
    "ConfigMap: line inside the text",
    `${CONFIG_MAP}data:\n  mesh: |-\n    # why\n    trustDomain: a\n    trustDomian: b`,
    /^8 data\.mesh\.trustDomian: is not a known field; did you mean trustDomain\?$/,
  ],
  [
    "ConfigMap: line of a folded text",
    `${CONFIG_MAP}data:\n  mesh: "a: 1\\n\\n\\n"`,
    /^5 data\.mesh\.a: is not a known field$/,
  ],
  [
    "ConfigMap: broken text",
    `${CONFIG_MAP}data:\n  mesh: |\n    trustDomain: a\n    b: [`,
    /^\d+ data\.mesh: is not valid YAML/,
  ],
  [
    "ConfigMap: no map",
    `${CONFIG_MAP}data: {mesh: "a"}`,
    /^4 data\.mesh: is no MeshConfig; expected a map$/,
  ],
  [
    "ConfigMap: two documents",
    `${CONFIG_MAP}data: {mesh: "ca: {}\\n---\\nca: {}"}`,
    /^4 data\.mesh: has several documents/,
  ],
  [
    "ConfigMap of a mesh without its text",
    `${CONFIG_MAP}data: {msh: a}`,
    /^4 data\.mesh: is missing; expected the text of a MeshConfig$/,
  ],
];
for (const [name, text, issue] of invalid) {
  test(`${name}: ${JSON.stringify(text)} is refused`, () => {
    const found = issues(text);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.deepEqual(parseResources(text, "f").resources, []);
  });
}

const configMaps: [metadata: string, data: string, kind: "ConfigMap" | "MeshConfig"][] = [
  ["{name: other, namespace: istio-system}", "{mesh: 'ca: {}'}", "ConfigMap"],
  ["{name: istio, namespace: shop}", "{a: b}", "ConfigMap"],
  ["{name: istio, namespace: shop}", "{mesh: 'ca: {}'}", "MeshConfig"],
  ["{name: istio, namespace: istio-system}", "{mesh: 'ca: {}'}", "MeshConfig"],
];
for (const [metadata, data, kind] of configMaps) {
  test(`the ConfigMap ${metadata} with ${data} is read as ${kind}`, () => {
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: ${metadata}\ndata: ${data}`;
    const { resources, issues: found } = parseResources(text, "f");
    assert.deepEqual(found, []);
    assert.deepEqual(
      resources.map((resource) => resource.kind),
      [kind],
    );
  });
}

test("fields without effect are told in one notice, wherever they stand", () => {
  const text = `${CONFIG_MAP}data:
  meshNetworks: "networks: {}"
  mesh: |-
    accessLogFile: /dev/stdout
    defaultProviders: {metrics: [x]}
    meshMTLS: {cipherSuites: [A]}
    defaultConfig: {concurrency: 2, binaryPath: /usr/bin/envoy}`;
  assert.deepEqual(parseResources(text, "mesh.yaml").notices, [
    {
      source: { file: "mesh.yaml", line: 1 },
      path: "",
      message:
        "accepted, without effect here yet: data.meshNetworks, data.mesh.defaultConfig.binaryPath, data.mesh.defaultProviders.metrics, data.mesh.meshMTLS.cipherSuites",
    },
  ]);
});
