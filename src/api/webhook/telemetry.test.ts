import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../parse-resources.ts";

const telemetry = (spec: string) =>
  parseResources(
    `apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: t, namespace: shop}\nspec: ${spec}`,
    "mesh.yaml",
  );
const proxyConfig = (spec: string) =>
  parseResources(
    `apiVersion: networking.istio.io/v1beta1\nkind: ProxyConfig\nmetadata: {name: t, namespace: shop}\nspec: ${spec}`,
    "mesh.yaml",
  );
const faults = ({ issues }: ReturnType<typeof parseResources>): string[] =>
  issues.map(({ path, problem }) => `${path}: ${problem}`);

const tags = (tag: string): string => `{tracing: [{customTags: {t: ${tag}}}]}`;
const override = (fields: string): string => `{metrics: [{overrides: [{${fields}}]}]}`;

const good: [rule: string, spec: string][] = [
  ["empty", "{}"],
  ["VAL-50 a filter", "{accessLogging: [{filter: {expression: 'response.code >= 400'}}]}"],
  [
    "VAL-50 unknown names are not judged",
    "{accessLogging: [{filter: {expression: 'no.such.name'}}]}",
  ],
  ["VAL-52", override("tagOverrides: {a: {operation: REMOVE}, b: {value: c}}")],
  ["VAL-53 one provider", "{tracing: [{providers: [{name: a}], randomSamplingPercentage: 99.5}]}"],
  ["tags", tags("{environment: {name: A, defaultValue: b}}")],
];
for (const [rule, spec] of good) {
  test(`${rule}: ${spec} is accepted`, () => {
    const parsed = telemetry(spec);
    assert.deepEqual(faults(parsed), []);
    assert.deepEqual(
      parsed.notices.filter(({ level }) => level === "webhook"),
      [],
    );
  });
}

const bad: [rule: string, spec: string, fault: RegExp][] = [
  [
    "VAL-50",
    "{accessLogging: [{filter: {expression: 'response.code >='}}]}",
    /^spec\.accessLogging\[0\]\.filter\.expression: is not a CEL expression/,
  ],
  [
    "VAL-50 empty",
    "{accessLogging: [{filter: {}}]}",
    /filter\.expression: is not a CEL expression/,
  ],
  [
    "VAL-51",
    "{metrics: [{providers: [{name: ''}]}]}",
    /^spec\.metrics\[0\]\.providers\[0\]\.name: (must not be empty|is missing|must not be an empty value)/,
  ],
  ["VAL-52 UPSERT", override("tagOverrides: {a: {operation: UPSERT}}"), /tagOverrides\.a/],
  [
    "VAL-52 the default is UPSERT",
    override("tagOverrides: {a: {}}"),
    /tagOverrides\.a\.value: is missing/,
  ],
  [
    "VAL-52 REMOVE",
    override("tagOverrides: {a: {operation: REMOVE, value: b}}"),
    /tagOverrides\.a/,
  ],
  [
    "VAL-52 metric",
    override("match: {customMetric: ''}"),
    /match\.customMetric: must not be empty$/,
  ],
  ["tag without value", tags("null"), /customTags\.t: is empty; expected a map$/],
  [
    "literal",
    tags("{literal: {value: ''}}"),
    /literal\.value: (must not be empty|is missing|must not be an empty value)/,
  ],
  [
    "header",
    tags("{header: {name: ''}}"),
    /header\.name: (must not be empty|is missing|must not be an empty value)/,
  ],
  [
    "sampling",
    "{tracing: [{randomSamplingPercentage: 100.5}]}",
    /randomSamplingPercentage: is .*100\.5/,
  ],
  [
    "VAL-54",
    "{targetRefs: [{kind: Pod, name: a}]}",
    /targetRefs\[0\]\.kind: "\/Pod" cannot be a target/,
  ],
];
for (const [rule, spec, fault] of bad) {
  test(`${rule}: ${spec} is refused`, () => {
    assert.match(faults(telemetry(spec)).join("\n"), fault);
  });
}

const warned: [rule: string, spec: string, path: string][] = [
  ["VAL-53", "{tracing: [{}, {}]}", "spec.tracing"],
  ["VAL-53", "{tracing: [{providers: [{name: a}, {name: b}]}]}", "spec.tracing[0].providers"],
  ["VAL-4", "{selector: {}}", "spec.selector"],
];
for (const [rule, spec, path] of warned) {
  test(`${rule}: ${spec} is warned of`, () => {
    const parsed = telemetry(spec);
    assert.deepEqual(faults(parsed), []);
    const found = parsed.notices.filter(({ level }) => level === "webhook");
    assert.deepEqual(
      found.map((notice) => notice.path),
      [path],
    );
  });
}

test("ProxyConfig: concurrency is 0 or more", () => {
  assert.deepEqual(faults(proxyConfig("{concurrency: 0}")), []);
  assert.match(faults(proxyConfig("{concurrency: -1}"))[0] ?? "", /^spec\.concurrency: is .*-1/);
});

test("VAL-50 filters that are too long together are refused, not passed over", () => {
  const filter = `{filter: {expression: '"${"a".repeat(90_000)}"'}}`;
  const logging = (filters: readonly string[]): string => `{accessLogging: [${filters}]}`;
  assert.deepEqual(faults(telemetry(logging([filter, filter, filter]))), []);
  assert.deepEqual(faults(telemetry(logging([filter, filter, filter, filter]))), [
    "spec.accessLogging[3].filter.expression: is not read: the filters before it have more than 200000 characters",
  ]);
});
