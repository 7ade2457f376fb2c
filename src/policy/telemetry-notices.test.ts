import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../api/parse-resources.ts";
import { telemetryNotices } from "./telemetry-notices.ts";

const MESH = `---
extensionProviders:
- {name: otel, envoyOtelAls: {service: collector.shop, port: 4317}}
- {name: spans, opentelemetry: {service: collector.shop, port: 4317}}
- {name: zipkin, zipkin: {service: zipkin.shop, port: 9411}}
`;

function telemetry(name: string, spec: string): string {
  return `---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;
}

function messagesOn(yaml: string): readonly string[] {
  const parsed = parseResources(yaml, "mesh.yaml");
  assert.deepEqual(parsed.issues, []);
  return telemetryNotices(parsed.resources).map(({ path, message }) => `${path}: ${message}`);
}

const named = (provider: string): string =>
  telemetry("logs", `{accessLogging: [{providers: [{name: ${provider}}]}]}`);

const cases: [what: string, yaml: string, expected: RegExp | undefined][] = [
  ["the built-in provider", named("envoy"), undefined],
  ["its name in other letters, as Istio takes it", named("Envoy"), undefined],
  [
    "one that is not defined",
    named("nobody"),
    /^spec\.accessLogging\[0\]\.providers: .*"nobody".* does not define it$/,
  ],
  [
    "one that is a service",
    MESH + named("otel"),
    /"otel": sidecars write files alone yet.* envoyOtelAls$/,
  ],
  ["one that takes no logs", named("prometheus"), /kind prometheus takes none$/],
  [
    "a default provider",
    "---\ntrustDomain: a\ndefaultProviders: {accessLogging: [nobody]}\n",
    /^defaultProviders\.accessLogging: .*"nobody"/,
  ],
];
for (const [what, yaml, expected] of cases) {
  test(`OBS-10 ${what} is ${expected === undefined ? "told nothing of" : "told in a notice"}`, () => {
    const messages = messagesOn(yaml);
    assert.equal(messages.length, expected === undefined ? 0 : 1);
    if (expected !== undefined) assert.match(messages[0] ?? "", expected);
  });
}

const traced = (provider: string): string =>
  telemetry("traces", `{tracing: [{}, {providers: [{name: ${provider}}]}]}`);

const spanCases: [what: string, yaml: string, expected: RegExp | undefined][] = [
  ["a collector", MESH + traced("spans"), undefined],
  [
    "one that is not defined",
    MESH + traced("nobody"),
    /^spec\.tracing\[1\]\.providers: .*"nobody"/,
  ],
  ["one of another protocol", MESH + traced("zipkin"), /sidecars speak OTLP alone.* kind zipkin$/],
  ["one that takes no spans", MESH + traced("envoy"), /kind envoyFileAccessLog takes none$/],
  [
    "a default provider",
    "---\ntrustDomain: a\ndefaultProviders: {tracing: [nobody]}\n",
    /^defaultProviders\.tracing: no spans are sent to "nobody"/,
  ],
];
for (const [what, yaml, expected] of spanCases) {
  test(`of spans, ${what} is ${expected === undefined ? "told nothing of" : "told in a notice"}`, () => {
    const messages = messagesOn(yaml);
    assert.equal(messages.length, expected === undefined ? 0 : 1);
    if (expected !== undefined) assert.match(messages[0] ?? "", expected);
  });
}

test("OBS-14 of two for a whole namespace the second by name is told to have no effect", () => {
  const selecting = telemetry("c", "{selector: {matchLabels: {app: a}}}");
  const [message, ...others] = messagesOn(telemetry("b", "{}") + telemetry("a", "{}") + selecting);
  assert.deepEqual(others, []);
  assert.match(message ?? "", /^: has no effect: Telemetry shop\/a is for the whole namespace too/);
});
