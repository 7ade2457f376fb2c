import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../../api/parse-resources.ts";
import { PROXY_CONFIG_ANNOTATION } from "../../api/proxy-config.ts";
import { podOwners } from "../../policy/mesh-snapshot.ts";
import { sidecarSettings } from "./sidecar-settings.ts";

function settings({ mesh = "", own = "" }: { mesh?: string; own?: string }) {
  return settingsOf(`proxyMetadata: {${mesh}}`, own === "" ? undefined : `proxyMetadata: {${own}}`);
}

/** @param defaults of the mesh; @param own of the pod's annotation */
function settingsOf(defaults: string, own: string | undefined, more = "") {
  const annotation = own === undefined ? "{}" : `{${PROXY_CONFIG_ANNOTATION}: "${own}"}`;
  const { resources, issues } = parseResources(
    `apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: shop}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}, annotations: ${annotation}}
    spec: {containers: [{name: a, image: a}]}
---
defaultConfig: {${defaults}}
${more}`,
    "mesh.yaml",
  );
  assert.deepEqual(issues, []);
  const [owner] = podOwners(resources);
  assert.ok(owner !== undefined);
  return sidecarSettings(owner, resources);
}

const DAY = { certificateLifetimeSeconds: 86_400, concurrency: 1 };
const read: [rule: string, metadata: { mesh?: string; own?: string }, expected: object][] = [
  ["CA-30, CA-31 defaults", {}, DAY],
  ["CA-30", { mesh: "SECRET_TTL: 1h" }, { ...DAY, certificateLifetimeSeconds: 3600 }],
  [
    "CA-30 the pod's own counts",
    { mesh: "SECRET_TTL: 1h", own: "SECRET_TTL: 2h" },
    { ...DAY, certificateLifetimeSeconds: 7200 },
  ],
  [
    "CA-31",
    { mesh: "SECRET_GRACE_PERIOD_RATIO: '0.2'" },
    { ...DAY, renewal: { graceRatio: 0.2, jitterRatio: 0.01 } },
  ],
  [
    "CA-31 jitter",
    {
      mesh: "SECRET_GRACE_PERIOD_RATIO: '1', SECRET_GRACE_PERIOD_RATIO_JITTER: '0.5'",
      own: "SECRET_GRACE_PERIOD_RATIO_JITTER: '0'",
    },
    { ...DAY, renewal: { graceRatio: 1, jitterRatio: 0 } },
  ],
];
for (const [rule, metadata, expected] of read) {
  test(`${rule}: ${JSON.stringify(metadata)}`, () => {
    assert.deepEqual(settings(metadata), { settings: expected });
  });
}

const refused: [rule: string, metadata: string, problem: RegExp][] = [
  ["CA-30", "SECRET_TTL: 1d", /^SECRET_TTL is "1d"; expected a Go duration/],
  ["CA-30 too short", "SECRET_TTL: 1s", /at least 2s/],
  ["CA-31", "SECRET_GRACE_PERIOD_RATIO: '1.5'", /^SECRET_GRACE_PERIOD_RATIO is "1\.5"; expected/],
  ["CA-31", "SECRET_GRACE_PERIOD_RATIO: half", /is "half"; expected a number from 0 to 1$/],
  ["CA-31", "SECRET_GRACE_PERIOD_RATIO_JITTER: '-0.1'", /_JITTER is "-0\.1"/],
];
for (const [rule, mesh, problem] of refused) {
  test(`${rule}: ${mesh} is refused`, () => {
    const answer = settings({ mesh });
    assert.ok("issue" in answer);
    assert.match(answer.issue.problem, problem);
  });
}

const concurrencies: [defaults: string, own: string | undefined, expected: number][] = [
  ["concurrency: 4", undefined, 4],
  ["concurrency: 4", "proxyMetadata: {}", 4],
  ["concurrency: 4", "concurrency: 2", 2],
  ["concurrency: 4", "concurrency: null", 4],
  ["concurrency: 4", "concurrency: 0", 0],
  ["concurrency: null", undefined, 1],
  ["concurrency: 0", undefined, 0],
  ["concurrency: -1", undefined, 0],
  ["", "concurrency: 3", 3],
];
for (const [defaults, own, expected] of concurrencies)
  test(`concurrency of a mesh with {${defaults}} and a pod with ${own}`, () => {
    const answer = settingsOf(defaults, own);
    assert.ok("settings" in answer);
    assert.equal(answer.settings.concurrency, expected);
  });

for (const own of ["concurrency: -1", "concurrency: 1.5", "concurrency: two", "concurrency: [1]"])
  test(`a pod's ${own} is refused`, () => {
    const answer = settingsOf("", own);
    assert.ok("issue" in answer);
    assert.match(answer.issue.problem, /^concurrency is no number of processes; expected 0/);
  });

const configs: [
  who: string,
  configs: readonly string[],
  own: string | undefined,
  expected: number,
][] = [
  ["the mesh's", [proxyConfig("istio-system", 2)], undefined, 2],
  [
    "the namespace's before the mesh's",
    [proxyConfig("istio-system", 2), proxyConfig("shop", 3)],
    undefined,
    3,
  ],
  ["another namespace's is none of ours", [proxyConfig("other", 3)], undefined, 5],
  ["the annotation before the namespace's", [proxyConfig("shop", 3)], "concurrency: 4", 4],
  [
    "the one that selects the pod before all",
    [proxyConfig("shop", 6, "a"), proxyConfig("shop", 3)],
    "concurrency: 4",
    6,
  ],
  ["one that selects another pod is none of ours", [proxyConfig("shop", 6, "b")], undefined, 5],
];
for (const [who, written, own, expected] of configs) {
  test(`ProxyConfig: ${who}`, () => {
    const found = settingsOf("concurrency: 5", own, written.join(""));
    assert.equal("settings" in found && found.settings.concurrency, expected);
  });
}

test("ProxyConfig: environmentVariables are settings of the sidecar", () => {
  const found = settingsOf("", undefined, proxyConfig("shop", 1));
  assert.equal("settings" in found && found.settings.certificateLifetimeSeconds, 7_200);
});

function proxyConfig(namespace: string, concurrency: number, app?: string): string {
  const selector = app === undefined ? "" : `selector: {matchLabels: {app: ${app}}}, `;
  const variables = "environmentVariables: {SECRET_TTL: 2h}";
  return `---
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: c${concurrency}, namespace: ${namespace}}
spec: {${selector}concurrency: ${concurrency}, ${variables}}
`;
}
