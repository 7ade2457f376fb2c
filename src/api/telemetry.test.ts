import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import type { Telemetry } from "./telemetry.ts";

function parsed(spec: string): ReturnType<typeof parseResources> {
  const head =
    "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: logs, namespace: shop}\n";
  return parseResources(`${head}spec: ${spec}\n`, "telemetry.yaml");
}

function telemetry(spec: string): Telemetry {
  const { resources, issues } = parsed(spec);
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "Telemetry");
  return resource;
}

test("OBS-10..OBS-12 the article's example is read", () => {
  const { selector, targetRefs, accessLogging } = telemetry(
    '{selector: {matchLabels: {app: api}}, accessLogging: [{providers: [{name: envoy}], filter: {expression: "response.code >= 400 || connection.mtls == false"}}]}',
  );
  assert.deepEqual([selector, targetRefs], [{ app: "api" }, []]);
  const [entry, ...others] = accessLogging;
  assert.deepEqual(others, []);
  assert.deepEqual(
    [entry?.mode, entry?.providers, entry?.disabled, entry?.filter?.tree?.is],
    ["CLIENT_AND_SERVER", ["envoy"], false, "call"],
  );
});

test("OBS-11 a side, and what is turned off", () => {
  const { accessLogging } = telemetry("{accessLogging: [{match: {mode: SERVER}, disabled: true}]}");
  assert.deepEqual(
    accessLogging.map(({ mode, disabled }) => [mode, disabled]),
    [["SERVER", true]],
  );
});

test("metrics are told to have no effect yet", () => {
  const { notices } = parsed(
    "{metrics: [{providers: [{name: prometheus}]}], tracing: [{randomSamplingPercentage: 1}]}",
  );
  assert.deepEqual(
    notices.map(({ message }) => message),
    ["accepted, without effect here yet: spec.metrics"],
  );
});

const nested = `${"!(".repeat(60)}true${")".repeat(60)}`;
const notices: [what: string, expression: string, notice: RegExp | undefined][] = [
  ["plain", "response.code >= 400", undefined],
  ["of a loop's own names", "[1].exists(code, code == response.code)", undefined],
  ["of maps that are empty here", "'a' in metadata && has(filter_state.b)", undefined],
  [
    "with a misspelt attribute",
    "response.status >= 400",
    /names "response\.status", which is no attribute/,
  ],
  ["with an unknown name", "respons.code >= 400", /names "respons", which is no attribute/],
  ["with a pattern", "request.path.matches('^/a(b|c)')", undefined],
  [
    "with a pattern that RE2 would not take either",
    "request.path.matches('a)')",
    /has a pattern that has a \) too many: nothing is logged/,
  ],
  [
    "with a pattern that a stranger chooses",
    "request.path.matches(request.method)",
    /calls "matches" with a pattern that is not written out/,
  ],
  [
    "with a function that is not there",
    "request.path.lowerAscii() == 'a'",
    /calls "lowerAscii", which sidecars do not know yet: nothing is logged/,
  ],
  ["with bytes", "b'a' == b'a'", /has bytes.*nothing is logged/],
  ["with a map", "{'a': 1}['a'] == 1", /has a map.*nothing is logged/],
  ["that is nested", nested, undefined],
  [
    "that is long",
    `response.code in [${Array.from({ length: 1_200 }, () => 1)}]`,
    /has more than 1000 parts.*nothing/,
  ],
];
for (const [what, expression, notice] of notices) {
  test(`OBS-12 a filter ${what} is ${notice === undefined ? "told nothing of" : "told of"}`, () => {
    const { issues, notices: told } = parsed(
      `{accessLogging: [{filter: {expression: "${expression}"}}]}`,
    );
    assert.deepEqual(issues, []);
    const own = told.filter(({ path }) => path === "spec.accessLogging[0].filter.expression");
    assert.equal(own.length, notice === undefined ? 0 : 1);
    if (notice !== undefined) assert.match(own[0]?.message ?? "", notice);
  });
}
