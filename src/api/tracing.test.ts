import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_MESH_SETTINGS, type MeshTracing } from "./mesh-settings.ts";
import { parseResources } from "./parse-resources.ts";
import type { Tracing } from "./tracing.ts";

function parsed(tracing: string): ReturnType<typeof parseResources> {
  const head =
    "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: traces, namespace: shop}\n";
  return parseResources(`${head}spec: {tracing: [${tracing}]}\n`, "telemetry.yaml");
}

const cases: [what: string, tracing: string, expected: Omit<Tracing, "line" | "mode">][] = [
  ["nothing is nothing", "{}", { providers: [] }],
  ["providers", "{providers: [{name: a}, {name: b}]}", { providers: ["a", "b"] }],
  ["reporting", "{disableSpanReporting: true}", { providers: [], reporting: "off" }],
  ["reporting, on again", "{disableSpanReporting: false}", { providers: [], reporting: "on" }],
  ["null is nothing", "{disableSpanReporting: null}", { providers: [] }],
  ["a share", "{randomSamplingPercentage: 12.34}", { providers: [], samplingPercentage: 12.34 }],
  ["a share of nothing", "{randomSamplingPercentage: 0}", { providers: [], samplingPercentage: 0 }],
  [
    "the rest",
    "{useRequestIdForTraceSampling: false, enableIstioTags: false, disableContextPropagation: true}",
    { providers: [], samplingByRequestId: "off", istioTags: "off", propagation: "off" },
  ],
  [
    "tags",
    '{customTags: {a: {literal: {value: b}}, c: {environment: {name: D, defaultValue: e}}, f: {header: {name: X-G}}, h: {formatter: {value: "%PROTOCOL%"}}}}',
    {
      providers: [],
      customTags: [
        { name: "a", literal: "b" },
        { name: "c", environment: "D", defaultValue: "e" },
        { name: "f", header: "x-g", defaultValue: "" },
        { name: "h", template: "%PROTOCOL%" },
      ],
    },
  ],
  ["no tags in place of others", "{customTags: {}}", { providers: [], customTags: [] }],
];
for (const [what, tracing, expected] of cases) {
  test(`tracing of a Telemetry: ${what}`, () => {
    const { resources, issues } = parsed(tracing);
    assert.deepEqual(issues, []);
    const [resource] = resources;
    assert.ok(resource?.kind === "Telemetry");
    assert.deepEqual(resource.tracing, [{ line: 4, mode: "CLIENT_AND_SERVER", ...expected }]);
  });
}

test("an operator that sidecars cannot tell is told of", () => {
  const { notices } = parsed(
    '{customTags: {h: {formatter: {value: "%DYNAMIC_METADATA(a)% %PROTOCOL%"}}}}',
  );
  assert.deepEqual(
    notices.map(({ path, message }) => `${path}: ${message}`),
    [
      'spec.tracing[0].customTags.h.formatter.value: has "%DYNAMIC_METADATA(a)%", which sidecars cannot tell',
    ],
  );
});

const meshes: [what: string, yaml: string, expected: Partial<MeshTracing>][] = [
  ["nothing", "trustDomain: td", {}],
  ["providers", "defaultProviders: {tracing: [a, b]}", { providers: ["a", "b"] }],
  ["a share", "defaultConfig: {tracing: {sampling: 50}}", { samplingPercentage: 50 }],
  ["a share of nothing is none", "defaultConfig: {tracing: {sampling: 0}}", {}],
  ["more than all is none", "defaultConfig: {tracing: {sampling: 101}}", {}],
  ["less than nothing is none", "defaultConfig: {tracing: {sampling: -1}}", {}],
  ["a length", "defaultConfig: {tracing: {maxPathTagLength: 99}}", { maxPathTagLength: 99 }],
  [
    "tags",
    "defaultConfig: {tracing: {customTags: {a: {header: {name: B}}}}}",
    { customTags: [{ name: "a", header: "b", defaultValue: "" }] },
  ],
];
for (const [what, yaml, expected] of meshes) {
  test(`tracing of a mesh: ${what}`, () => {
    const { resources, issues, notices } = parseResources(`${yaml}\n`, "mesh.yaml");
    assert.deepEqual([issues, notices], [[], []]);
    const [mesh] = resources;
    assert.ok(mesh?.kind === "MeshConfig");
    assert.deepEqual(mesh.settings.tracing, { ...DEFAULT_MESH_SETTINGS.tracing, ...expected });
  });
}

const OTEL = "defaultProviders: {tracing: [otel]}\n";
const notices: [what: string, yaml: string, expected: RegExp | undefined][] = [
  ["enableTracing by itself", "enableTracing: true\n", /^enableTracing: has no effect by itself/],
  ["enableTracing beside a provider", `enableTracing: true\n${OTEL}`, undefined],
  ["enableTracing, off", "enableTracing: false\n", undefined],
  [
    "a tracer of old",
    "defaultConfig: {tracing: {zipkin: {address: zipkin.istio-system:9411}}}\n",
    /without effect here yet: defaultConfig\.tracing\.zipkin$/,
  ],
];
for (const [what, yaml, expected] of notices) {
  test(`tracing of a mesh: ${what} is told ${expected === undefined ? "nothing of" : "of"}`, () => {
    const { issues, notices: told } = parseResources(`trustDomain: td\n${yaml}`, "mesh.yaml");
    assert.deepEqual(issues, []);
    assert.equal(told.length, expected === undefined ? 0 : 1);
    const { path = "", message = "" } = told[0] ?? {};
    if (expected !== undefined) assert.match(`${path}: ${message}`, expected);
  });
}
