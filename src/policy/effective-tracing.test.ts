import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { resourcesOf, snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import type { Tracing } from "../api/tracing.ts";
import { WORKLOAD_MODES } from "../api/workload-mode.ts";
import { effectiveTelemetry } from "./effective-telemetry.ts";
import { mergeTracing } from "./effective-tracing.ts";
import { buildSnapshot } from "./mesh-snapshot.ts";
import type { EffectiveTracing, SideTracing } from "./workload-view.ts";

const PROVIDERS = `---
extensionProviders:
- {name: otel, opentelemetry: {service: collector.shop, port: 4317}}
- {name: other, opentelemetry: {service: shop/other.shop.svc.cluster.local, port: 4318, http: {path: /v1/traces}}}
- {name: zipkin, zipkin: {service: zipkin.istio-system, port: 9411}}
- {name: authz, envoyExtAuthzGrpc: {service: authz.shop, port: 9000}}
`;

interface Written {
  readonly name: string;
  readonly namespace?: string;
  readonly selector?: string;
}

function telemetry({ name, namespace = "shop", selector }: Written, tracing: string): string {
  const selects = selector === undefined ? "" : `selector: {matchLabels: {${selector}}}, `;
  return `---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${selects}tracing: [${tracing}]}
`;
}

const API = {
  namespace: "shop",
  name: "api-0",
  owner: "api",
  labels: { app: "api" },
  serviceAccount: "api-account",
  ports: [],
};

function tracingOf(yaml: string, labels: Readonly<Record<string, string>> = API.labels) {
  const snapshot = buildSnapshot({ resources: resourcesOf(yaml), workloads: [], rootsPem: [] });
  return effectiveTelemetry(snapshot, { ...API, labels })?.tracing;
}

/** `provider share switches` */
function shown(side: SideTracing | undefined): string {
  if (side === undefined) return "none";
  const { collector, sampledOf10000, sampledBy, propagation } = side;
  const switches = [sampledBy === "chance" && "chance", propagation === "off" && "alone"];
  return [collector.provider, sampledOf10000 / 100, ...switches.filter((one) => one)].join(" ");
}

const root = (tracing: string): string =>
  telemetry({ name: "root", namespace: "istio-system" }, tracing);
const own = (tracing: string): string => telemetry({ name: "own" }, tracing);
const selecting = (tracing: string): string =>
  telemetry({ name: "selecting", selector: "app: api" }, tracing);
const OTEL = "providers: [{name: otel}]";
const OTHER = "providers: [{name: other}]";
const DEFAULTS = `${PROVIDERS}defaultProviders: {tracing: [otel, other]}\n`;

/** One text where both sides do the same. */
const cases: [
  what: string,
  yaml: string,
  expected: string | { readonly inbound: string; readonly outbound: string },
][] = [
  ["nothing is told by default", PROVIDERS, "none"],
  ["the first default provider is told", DEFAULTS, "otel 1"],
  ["a Telemetry alone names nobody", PROVIDERS + own("{randomSamplingPercentage: 5}"), "none"],
  ["a Telemetry's provider is told", PROVIDERS + own(`{${OTEL}}`), "otel 1"],
  ["its name in other letters", PROVIDERS + own("{providers: [{name: OTel}]}"), "otel 1"],
  [
    "of several providers the first",
    PROVIDERS + own("{providers: [{name: other}, {name: otel}]}"),
    "other 1",
  ],
  ["the namespace's provider wins", DEFAULTS + root(`{${OTEL}}`) + own(`{${OTHER}}`), "other 1"],
  [
    "the one that selects wins over both",
    PROVIDERS + root(`{${OTEL}}`) + own(`{${OTEL}}`) + selecting(`{${OTHER}}`),
    "other 1",
  ],
  [
    "one for other workloads does not",
    DEFAULTS + telemetry({ name: "x", selector: "app: web" }, `{${OTHER}}`),
    "otel 1",
  ],
  [
    "fields are inherited one by one",
    PROVIDERS +
      root(`{${OTEL}, randomSamplingPercentage: 50}`) +
      own("{useRequestIdForTraceSampling: false}") +
      selecting("{disableContextPropagation: true}"),
    "otel 50 chance alone",
  ],
  [
    "the last share counts, be it 0",
    DEFAULTS + root("{randomSamplingPercentage: 50}") + own("{randomSamplingPercentage: 0}"),
    "otel 0",
  ],
  ["a share of a hundredth", DEFAULTS + own("{randomSamplingPercentage: 0.01}"), "otel 0.01"],
  [
    "the mesh's share, where no Telemetry says one",
    `${DEFAULTS}defaultConfig: {tracing: {sampling: 20}}\n${own("{}")}`,
    "otel 20",
  ],
  ["reporting is turned off", DEFAULTS + own("{disableSpanReporting: true}"), "none"],
  [
    "and on again below",
    DEFAULTS + root("{disableSpanReporting: true}") + own("{disableSpanReporting: false}"),
    "otel 1",
  ],
  [
    "off for one side",
    DEFAULTS + own("{match: {mode: CLIENT}, disableSpanReporting: true}"),
    { inbound: "otel 1", outbound: "none" },
  ],
  [
    "a provider for one side",
    DEFAULTS + own(`{match: {mode: SERVER}, ${OTHER}, randomSamplingPercentage: 7}`),
    { inbound: "other 7", outbound: "otel 1" },
  ],
  [
    "several entries of one Telemetry, in their order",
    DEFAULTS +
      own("{randomSamplingPercentage: 7}, {match: {mode: CLIENT}, randomSamplingPercentage: 8}"),
    { inbound: "otel 7", outbound: "otel 8" },
  ],
  ["a provider that nobody defined", DEFAULTS + own("{providers: [{name: nobody}]}"), "none"],
  ["one that sidecars do not speak to", DEFAULTS + own("{providers: [{name: zipkin}]}"), "none"],
  ["one that takes no spans", DEFAULTS + own("{providers: [{name: authz}]}"), "none"],
  ["enableTracing alone", `${PROVIDERS}enableTracing: true\n`, "none"],
];
for (const [what, yaml, expected] of cases) {
  test(what, () => {
    const tracing = tracingOf(yaml);
    const both =
      typeof expected === "string" ? { inbound: expected, outbound: expected } : expected;
    assert.deepEqual(
      { inbound: shown(tracing?.inbound), outbound: shown(tracing?.outbound) },
      both,
    );
  });
}

const TAG = (value: string): string => `customTags: {tag: {literal: {value: ${value}}}}`;
const tags: [what: string, yaml: string, expected: Readonly<Record<string, string>>][] = [
  ["Istio's stand in spans by default", DEFAULTS, istioTags()],
  ["Istio's can be left out", DEFAULTS + own("{enableIstioTags: false}"), {}],
  ["the users' stand beside them", DEFAULTS + own(`{${TAG("a")}}`), { ...istioTags(), tag: "a" }],
  [
    "the last map counts as a whole",
    DEFAULTS +
      root("{enableIstioTags: false, customTags: {other: {literal: {value: b}}}}") +
      own(`{${TAG("a")}}`),
    { tag: "a" },
  ],
  [
    "the mesh's, where no Telemetry has any",
    `${DEFAULTS}defaultConfig: {tracing: {${TAG("mesh")}}}\n${own("{enableIstioTags: false}")}`,
    { tag: "mesh" },
  ],
  [
    "the mesh's also where the last Telemetry takes its own away",
    `${DEFAULTS}defaultConfig: {tracing: {${TAG("mesh")}}}\n${root(`{${TAG("a")}}`)}${own("{enableIstioTags: false, customTags: {}}")}`,
    { tag: "mesh" },
  ],
  [
    "variables of the sidecar",
    `${DEFAULTS}defaultConfig: {proxyMetadata: {REGION: north}}\n${own("{enableIstioTags: false, customTags: {a: {environment: {name: REGION}}, b: {environment: {name: POD_NAME}}, c: {environment: {name: HOME}}, d: {environment: {name: HOME, defaultValue: e}}}}")}`,
    { a: "north", b: "api-0", d: "e" },
  ],
];
for (const [what, yaml, expected] of tags) {
  test(`tags: ${what}`, () => {
    const found = tracingOf(yaml)?.inbound?.tags ?? assert.fail("no tracing");
    const pairs = found.map((tag) => ("value" in tag ? [tag.name, tag.value] : assert.fail()));
    assert.deepEqual(Object.fromEntries(pairs), expected);
  });
}

function istioTags(): Readonly<Record<string, string>> {
  return {
    "istio.canonical_revision": "latest",
    "istio.canonical_service": "api",
    "istio.cluster_id": "unknown",
    "istio.mesh_id": "cluster.local",
    "istio.namespace": "shop",
  };
}

const names: [
  what: string,
  labels: Readonly<Record<string, string>>,
  istio: string,
  otel: string,
][] = [
  ["no labels", {}, "api.shop", "api"],
  ["app", { app: "store" }, "store.shop", "api"],
  ["a recommended label", { "app.kubernetes.io/name": "n" }, "api.shop", "n"],
  [
    "both recommended labels",
    { "app.kubernetes.io/name": "n", "app.kubernetes.io/instance": "i" },
    "api.shop",
    "i",
  ],
];
for (const [what, labels, istio, otel] of names) {
  test(`the service's name in spans, with ${what}`, () => {
    const enriched = DEFAULTS.replace(
      "port: 4317",
      "port: 4317, serviceAttributeEnrichment: OTEL_SEMANTIC_CONVENTIONS",
    );
    assert.equal(tracingOf(DEFAULTS, labels)?.inbound?.serviceName, istio);
    assert.equal(tracingOf(enriched, labels)?.inbound?.serviceName, otel);
  });
}

test("the lengths of paths are the provider's, or the mesh's, or Envoy's", () => {
  const long = `${DEFAULTS}defaultConfig: {tracing: {maxPathTagLength: 99}}\n`;
  const own = long.replace("port: 4317", "port: 4317, maxTagLength: 7");
  const lengths = [DEFAULTS, long, own].map((yaml) => tracingOf(yaml)?.outbound?.maxPathLength);
  assert.deepEqual(lengths, [256, 99, 7]);
});

test("the golden: a mesh as users write it, and what its sidecar is told", () => {
  const folder = "test/goldens/tracing";
  const snapshot = snapshotOf(readFileSync(`${folder}/mesh.yaml`, "utf8"));
  const tracing: EffectiveTracing | undefined = effectiveTelemetry(
    snapshot,
    workloadNamed(snapshot, "shop/api-0"),
  )?.tracing;
  const golden: unknown = JSON.parse(readFileSync(`${folder}/api.json`, "utf8"));
  assert.deepEqual(tracing, golden);
});

const switches = fc.constantFrom("on" as const, "off" as const);
const entry: fc.Arbitrary<Tracing> = fc.record(
  {
    line: fc.constant(1),
    mode: fc.constantFrom(...WORKLOAD_MODES),
    providers: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 2 }),
    reporting: switches,
    samplingPercentage: fc.nat({ max: 100 }),
    istioTags: switches,
    propagation: switches,
  },
  { requiredKeys: ["line", "mode", "providers"], noNullPrototype: true },
);
const entries = fc.array(entry, { maxLength: 5 });
const merged = (all: readonly Tracing[], side: "CLIENT" | "SERVER" = "SERVER") =>
  mergeTracing(all, { defaults: ["d"], side });

test("law: an entry that says everything for both sides decides alone", () => {
  const whole: Tracing = {
    line: 1,
    mode: "CLIENT_AND_SERVER",
    providers: ["a"],
    reporting: "on",
    samplingPercentage: 3,
    customTags: [],
    samplingByRequestId: "off",
    istioTags: "off",
    propagation: "off",
  };
  fc.assert(
    fc.property(entries, (above) => {
      assert.deepEqual(merged([...above, whole]), merged([whole]));
    }),
  );
});

test("law: entries for the other side change nothing", () => {
  fc.assert(
    fc.property(entries, (all) => {
      const own = all.filter(({ mode }) => mode !== "CLIENT");
      assert.deepEqual(merged(all), merged(own));
    }),
  );
});

test("law: what was merged above merges with what is below as if all stood in one place", () => {
  fc.assert(
    fc.property(entries, entries, (above, below) => {
      const { provider, ...rest } = merged(above);
      const asEntry = { line: 1, mode: "SERVER", providers: [provider ?? ""], ...rest } as Tracing;
      assert.deepEqual(merged([asEntry, ...below]), merged([...above, ...below]));
    }),
  );
});
