import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseResources } from "../api/parse-resources.ts";
import type { AccessLogging } from "../api/telemetry.ts";
import { WORKLOAD_MODES } from "../api/workload-mode.ts";
import { effectiveTelemetry, type LoggingSide, mergeProviders } from "./effective-telemetry.ts";
import { buildSnapshot } from "./mesh-snapshot.ts";

const PROVIDERS = `---
extensionProviders:
- {name: file, envoyFileAccessLog: {path: /logs/file}}
- {name: json, envoyFileAccessLog: {path: /logs/json, logFormat: {labels: {a: "%PROTOCOL%"}}}}
- {name: otel, envoyOtelAls: {service: collector.shop, port: 4317}}
`;

const API = {
  namespace: "shop",
  name: "api-0",
  owner: "api",
  labels: { app: "api" },
  serviceAccount: "api",
  ports: [],
};

interface Written {
  readonly name: string;
  readonly namespace?: string;
  readonly selector?: string;
  readonly at?: string;
}

function telemetry({ name, namespace = "shop", selector, at }: Written, logging: string): string {
  const created = at === undefined ? "" : `, creationTimestamp: "${at}"`;
  const selects = selector === undefined ? "" : `selector: {matchLabels: {${selector}}}, `;
  return `---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: ${name}, namespace: ${namespace}${created}}
spec: {${selects}accessLogging: [${logging}]}
`;
}

/** What each side of `shop/api` writes: `provider path filter`. */
function logsOf(yaml: string): { readonly inbound: string[]; readonly outbound: string[] } {
  const { resources, issues } = parseResources(yaml, "mesh.yaml");
  assert.deepEqual(issues, []);
  const snapshot = buildSnapshot({ resources, workloads: [], rootsPem: [] });
  const effective = effectiveTelemetry(snapshot, API);
  const told = (side: "inbound" | "outbound"): string[] =>
    (effective?.[side] ?? []).map(({ provider, path, filter }) =>
      [provider || "mesh", path, filter?.expression].filter((one) => one !== undefined).join(" "),
    );
  return { inbound: told("inbound"), outbound: told("outbound") };
}

const root = (logging: string): string =>
  telemetry({ name: "root", namespace: "istio-system" }, logging);
const own = (logging: string): string => telemetry({ name: "own" }, logging);
const selecting = (logging: string): string =>
  telemetry({ name: "selecting", selector: "app: api" }, logging);
const FILE = "providers: [{name: file}]";
const JSON_LOG = "providers: [{name: json}]";
const DEFAULTS = `${PROVIDERS}defaultProviders: {accessLogging: [json]}\n`;

/** `both` where the two sides write the same. */
const cases: [
  what: string,
  yaml: string,
  expected: { both: string[] } | { inbound: string[]; outbound: string[] },
][] = [
  ["OBS-3 nothing is on by default", PROVIDERS, { both: [] }],
  [
    "OBS-3 accessLogFile turns a log on",
    `${PROVIDERS}accessLogFile: /dev/stdout\n`,
    { both: ["mesh /dev/stdout"] },
  ],
  ["OBS-10 without Telemetry the default providers count", DEFAULTS, { both: ["json /logs/json"] }],
  [
    "OBS-10 and not accessLogFile beside them",
    `${DEFAULTS}accessLogFile: /x\n`,
    { both: ["json /logs/json"] },
  ],
  [
    "OBS-3 the built-in provider needs no definition",
    root("{providers: [{name: envoy}]}"),
    { both: ["envoy /dev/stdout"] },
  ],
  [
    "OBS-10 the namespace's providers replace the root's",
    PROVIDERS + root(`{${FILE}}`) + own(`{${JSON_LOG}}`),
    { both: ["json /logs/json"] },
  ],
  [
    "OBS-10 a selecting one replaces both",
    PROVIDERS + root(`{${FILE}}`) + own(`{${FILE}}`) + selecting(`{${JSON_LOG}}`),
    { both: ["json /logs/json"] },
  ],
  [
    "OBS-10 one for other workloads does not",
    PROVIDERS + root(`{${FILE}}`) + telemetry({ name: "x", selector: "app: web" }, `{${JSON_LOG}}`),
    { both: ["file /logs/file"] },
  ],
  [
    "OBS-10 one of another namespace does not",
    PROVIDERS + root(`{${FILE}}`) + telemetry({ name: "x", namespace: "bank" }, `{${JSON_LOG}}`),
    { both: ["file /logs/file"] },
  ],
  [
    "OBS-10 an entry without providers inherits them",
    PROVIDERS + root(`{${FILE}}`) + own("{disabled: true}"),
    { both: [] },
  ],
  [
    "OBS-10 what is disabled above is enabled below",
    PROVIDERS + root(`{${FILE}, disabled: true}`) + own("{}"),
    { both: ["file /logs/file"] },
  ],
  [
    "OBS-10 a filter stays with its provider",
    PROVIDERS + root(`{${FILE}, filter: {expression: "1 == 1"}}`) + own("{}"),
    { both: ["file /logs/file 1 == 1"] },
  ],
  [
    "OBS-10 the last filter given for a provider counts",
    PROVIDERS +
      root(`{${FILE}, filter: {expression: "1 == 1"}}`) +
      own(`{${FILE}, filter: {expression: "2 == 2"}}`),
    { both: ["file /logs/file 2 == 2"] },
  ],
  [
    "OBS-10 named again without a filter, it has none",
    PROVIDERS + root(`{${FILE}, filter: {expression: "1 == 1"}}`) + own(`{${FILE}}`),
    { both: ["file /logs/file"] },
  ],
  [
    "OBS-10 a filter without a provider's name is nobody's",
    `${DEFAULTS}${own('{filter: {expression: "1 == 1"}}')}`,
    { both: ["json /logs/json"] },
  ],
  [
    "OBS-11 for one side only",
    PROVIDERS + own(`{match: {mode: SERVER}, ${FILE}}`),
    { inbound: ["file /logs/file"], outbound: [] },
  ],
  [
    "OBS-11 the other side goes on with what it had",
    PROVIDERS + root(`{${FILE}}`) + own(`{match: {mode: CLIENT}, ${JSON_LOG}}`),
    { inbound: ["file /logs/file"], outbound: ["json /logs/json"] },
  ],
  [
    "OBS-11 turned off on one side",
    PROVIDERS + root(`{${FILE}}`) + own(`{match: {mode: CLIENT}, disabled: true}`),
    { inbound: ["file /logs/file"], outbound: [] },
  ],
  [
    "OBS-10 several, by their names",
    PROVIDERS + own(`{providers: [{name: json}, {name: file}]}`),
    { both: ["file /logs/file", "json /logs/json"] },
  ],
  [
    "OBS-10 a disabled one leaves accessLogFile without effect",
    `${PROVIDERS}accessLogFile: /x\n${own(`{${FILE}, disabled: true}`)}`,
    { both: [] },
  ],
  [
    "OBS-10 an unknown provider leaves it in force",
    `${PROVIDERS}accessLogFile: /x\n${own("{providers: [{name: nobody}]}")}`,
    { both: ["mesh /x"] },
  ],
  [
    "OBS-10 one that is a service does not",
    `${PROVIDERS}accessLogFile: /x\n${own("{providers: [{name: otel}]}")}`,
    { both: [] },
  ],
  [
    "OBS-14 the oldest for a whole namespace counts",
    PROVIDERS +
      telemetry({ name: "a", at: "2026-01-02T00:00:00Z" }, `{${FILE}}`) +
      telemetry({ name: "b", at: "2026-01-01T00:00:00Z" }, `{${JSON_LOG}}`),
    { both: ["json /logs/json"] },
  ],
  [
    "OBS-14 even if it says nothing of logs",
    PROVIDERS +
      telemetry({ name: "a", at: "2026-01-02T00:00:00Z" }, `{${FILE}}`) +
      telemetry({ name: "b", at: "2026-01-01T00:00:00Z" }, ""),
    { both: [] },
  ],
  [
    "OBS-10 one that targets a gateway is for no sidecar",
    `${PROVIDERS}---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: gateway, namespace: shop}
spec: {targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}], accessLogging: [{${FILE}}]}
`,
    { both: [] },
  ],
];
for (const [what, yaml, expected] of cases) {
  test(what, () => {
    const both =
      "both" in expected ? { inbound: expected.both, outbound: expected.both } : expected;
    assert.deepEqual(logsOf(yaml), both);
  });
}

test("OBS-2, OBS-10 the built-in provider has the mesh's format, others Istio's own or theirs", () => {
  const yaml = `${PROVIDERS}accessLogEncoding: JSON\naccessLogFormat: '{"p": "%PROTOCOL%"}'\n${own("{providers: [{name: envoy}, {name: file}, {name: json}]}")}`;
  const { resources } = parseResources(yaml, "mesh.yaml");
  const snapshot = buildSnapshot({ resources, workloads: [], rootsPem: [] });
  const effective = effectiveTelemetry(snapshot, API);
  assert.deepEqual(
    effective?.inbound.map(({ format }) => format),
    [
      { encoding: "JSON", template: '{"p": "%PROTOCOL%"}' },
      { encoding: "TEXT" },
      { encoding: "JSON", template: '{"a":"%PROTOCOL%"}' },
    ],
  );
});

test("OBS-4 disableEnvoyListenerLog leaves refused connections out of every log", () => {
  const yaml = `${PROVIDERS}disableEnvoyListenerLog: true\naccessLogFile: /x\n`;
  const { resources } = parseResources(yaml, "mesh.yaml");
  const snapshot = buildSnapshot({ resources, workloads: [], rootsPem: [] });
  const effective = effectiveTelemetry(snapshot, API);
  assert.deepEqual(
    effective?.inbound.map(({ refusals }) => refusals),
    ["left out"],
  );
});

const entries: fc.Arbitrary<AccessLogging> = fc.record({
  line: fc.constant(1),
  mode: fc.constantFrom(...WORKLOAD_MODES),
  providers: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 2 }),
  disabled: fc.boolean(),
});
const levels = fc.array(fc.array(entries, { minLength: 1, maxLength: 3 }), { maxLength: 3 });
const sides = fc.constantFrom<LoggingSide>("CLIENT", "SERVER");

const enabled = (merged: ReturnType<typeof mergeProviders>): string[] =>
  [...merged].flatMap(([name, { disabled }]) => (disabled ? [] : [name])).sort();

test("OBS-10 law: whatever stands above, a level that names providers for both sides decides alone", () => {
  fc.assert(
    fc.property(
      levels,
      sides,
      fc.subarray(["a", "b", "c"], { minLength: 1 }),
      (above, side, providers) => {
        const last: AccessLogging = {
          line: 1,
          mode: "CLIENT_AND_SERVER",
          providers,
          disabled: false,
        };
        const merged = mergeProviders([...above, [last]], { defaults: ["a"], side });
        assert.deepEqual(enabled(merged), providers.toSorted());
      },
    ),
  );
});

test("OBS-11 law: entries for the other side that name providers change nothing, unless one after them names none", () => {
  fc.assert(
    fc.property(levels, sides, (all, side) => {
      const naming = all.map((level) =>
        level.map((one) => ({
          ...one,
          providers: one.providers.length > 0 ? one.providers : ["c"],
        })),
      );
      const other = side === "CLIENT" ? "SERVER" : "CLIENT";
      const without = naming
        .map((level) => level.filter(({ mode }) => mode !== other))
        .filter((level) => level.length > 0);
      // Without any entry at all, the defaults would count.
      fc.pre(without.length > 0);
      const options = { defaults: ["b"], side };
      assert.deepEqual(mergeProviders(naming, options), mergeProviders(without, options));
    }),
  );
});

test("OBS-10 law: what is told was named by somebody, or is a default", () => {
  fc.assert(
    fc.property(levels, sides, (all, side) => {
      const names = new Set([...all.flat().flatMap(({ providers }) => providers), "d"]);
      const merged = mergeProviders(all, { defaults: ["d"], side });
      assert.ok([...merged.keys()].every((name) => names.has(name)));
    }),
  );
});
