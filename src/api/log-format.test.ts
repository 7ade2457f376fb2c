import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFormat } from "./mesh-settings.ts";
import { parseResources } from "./parse-resources.ts";

function read(yaml: string): {
  readonly mesh: LogFormat;
  readonly provider: LogFormat | undefined;
  readonly notices: readonly string[];
} {
  const { resources, issues, notices } = parseResources(`trustDomain: a\n${yaml}`, "mesh.yaml");
  assert.deepEqual(issues, []);
  const [config] = resources;
  assert.ok(config?.kind === "MeshConfig");
  const { accessLog, extensionProviders } = config.settings;
  const provider = extensionProviders.find(({ name }) => name === "mine");
  return {
    mesh: accessLog.format,
    provider: provider?.kind === "envoyFileAccessLog" ? provider.format : undefined,
    notices: notices.map(({ path, message }) => `${path} ${message}`),
  };
}

const mine = (fields: string): string =>
  `extensionProviders: [{name: mine, envoyFileAccessLog: {${fields}}}]\n`;
const TEXT: LogFormat = { encoding: "TEXT" };

const cases: [yaml: string, mesh: LogFormat, provider: LogFormat | undefined][] = [
  ["", TEXT, undefined],
  ["accessLogEncoding: JSON\n", { encoding: "JSON" }, undefined],
  ['accessLogFormat: "%PROTOCOL%"\n', { encoding: "TEXT", template: "%PROTOCOL%" }, undefined],
  [mine("path: /x"), TEXT, undefined],
  [mine("omitEmptyValues: true"), TEXT, { encoding: "TEXT", omitEmpty: true }],
  [mine('logFormat: {text: "a"}'), TEXT, { encoding: "TEXT", template: "a" }],
  [mine("logFormat: {labels: {}}"), TEXT, { encoding: "JSON" }],
  [
    mine('logFormat: {labels: {a: {b: ["%PROTOCOL%", 1, true]}}}'),
    TEXT,
    { encoding: "JSON", template: '{"a":{"b":["%PROTOCOL%",1,true]}}' },
  ],
];
for (const [yaml, mesh, provider] of cases) {
  test(`OBS-1, OBS-2 the formats of ${yaml.trim() || "nothing"}`, () => {
    const found = read(yaml);
    assert.deepEqual([found.mesh, found.provider, found.notices], [mesh, provider, []]);
  });
}

test("operators that sidecars cannot tell are told in one notice", () => {
  const { notices } = read(
    'accessLogFormat: "%PROTOCOL% %TRAILER(A)% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %TRAILER(A)%"\n',
  );
  assert.deepEqual(notices, [
    'accessLogFormat has "%TRAILER(A)%", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%", which sidecars cannot tell: written as "-"',
  ]);
});

test("JSON that is none leaves the default format, as in Istio", () => {
  const { mesh, notices } = read("accessLogEncoding: JSON\naccessLogFormat: '[1]'\n");
  assert.deepEqual(mesh, { encoding: "JSON" });
  assert.match(notices.join(), /accessLogFormat is not a JSON object/);
});
