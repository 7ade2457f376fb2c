import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import type { OpenTelemetryCollector } from "./span-collector.ts";

function collector(opentelemetry: string): {
  readonly collector: OpenTelemetryCollector;
  readonly notices: readonly string[];
} {
  const yaml = `trustDomain: td\nextensionProviders: [{name: otel, opentelemetry: ${opentelemetry}}]\n`;
  const { resources, issues, notices } = parseResources(yaml, "mesh.yaml");
  assert.deepEqual(issues, []);
  const [mesh] = resources;
  assert.ok(mesh?.kind === "MeshConfig");
  const found = mesh.settings.extensionProviders.find(({ name }) => name === "otel");
  assert.ok(found?.kind === "opentelemetry");
  return { collector: found, notices: notices.map(({ path, message }) => `${path}: ${message}`) };
}

const PLACE = "service: collector.shop, port: 4317";
const PLAIN: OpenTelemetryCollector = {
  name: "otel",
  kind: "opentelemetry",
  service: "collector.shop",
  port: 4317,
  protocol: "grpc",
  path: "/",
  timeoutMs: 10_000,
  headers: {},
  serviceNaming: "istio",
};

const cases: [what: string, written: string, expected: Partial<OpenTelemetryCollector>][] = [
  ["gRPC by default", `{${PLACE}}`, {}],
  [
    "gRPC with a deadline and metadata",
    `{${PLACE}, grpc: {timeout: 1.5s, initialMetadata: [{name: X-Key, value: k}]}}`,
    { timeoutMs: 1_500, headers: { "x-key": "k" } },
  ],
  [
    "HTTP",
    `{${PLACE}, http: {path: /v1/traces, timeout: 2s, headers: [{name: a, value: b}]}}`,
    { protocol: "http", path: "/v1/traces", timeoutMs: 2_000, headers: { a: "b" } },
  ],
  [
    "HTTP with a path without slash",
    `{${PLACE}, http: {path: v1}}`,
    { protocol: "http", path: "/v1" },
  ],
  ["HTTP without a path", `{${PLACE}, http: {timeout: 0s}}`, { protocol: "http" }],
  ["a deadline beyond reason", `{${PLACE}, grpc: {timeout: 100h}}`, { timeoutMs: 300_000 }],
  ["a length", `{${PLACE}, maxTagLength: 64}`, { maxTagLength: 64 }],
  [
    "a service with its namespace",
    "{service: shop/collector.shop.svc.cluster.local, port: 4317}",
    { service: "shop/collector.shop.svc.cluster.local" },
  ],
  [
    "OpenTelemetry's names",
    `{${PLACE}, serviceAttributeEnrichment: OTEL_SEMANTIC_CONVENTIONS}`,
    { serviceNaming: "opentelemetry" },
  ],
];
for (const [what, written, expected] of cases) {
  test(`opentelemetry: ${what}`, () => {
    const { collector: read, notices } = collector(written);
    assert.deepEqual(notices, []);
    assert.deepEqual(read, { ...PLAIN, ...expected });
  });
}

const headers: [what: string, header: string][] = [
  ["of which only a variable is told", "{name: x-key, envName: KEY}"],
  ["whose name is none", '{name: "a b", value: c}'],
  ["without a name", "{value: c}"],
  ["whose value has a line end", '{name: a, value: "b\\nc: d"}'],
  ["that frames the message", "{name: Content-Length, value: '7'}"],
  ["that says where it goes", "{name: Host, value: elsewhere}"],
  ["that is a pseudo-header", "{name: ':path', value: /}"],
];
for (const [what, header] of headers) {
  test(`opentelemetry: a header ${what} is not sent, and told of`, () => {
    const { collector: read, notices } = collector(`{${PLACE}, http: {headers: [${header}]}}`);
    assert.deepEqual(read.headers, {});
    assert.equal(notices.length, 1);
    assert.match(notices[0] ?? "", /opentelemetry\.http\.headers\[0\].*is not sent/);
  });
}

test("opentelemetry: what has no effect is told", () => {
  const { notices } = collector(`{${PLACE}, resourceDetectors: {environment: {}}}`);
  assert.deepEqual(notices, [
    "extensionProviders[0].opentelemetry.resourceDetectors: has no effect here",
  ]);
});
