import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import { describeCalls } from "./described-calls.ts";
import { egressNotices } from "./egress-notices.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller, namespace: web}
spec:
  selector: {matchLabels: {app: caller}}
  template:
    metadata: {labels: {app: caller}}
    spec: {containers: [{name: a, image: x}]}`;

const entry = (spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: web}
spec: ${spec}`;

const rule = (spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: rule, namespace: web}
spec: ${spec}`;

const HTTP = "{name: http, number: 80, protocol: HTTP}";
const SELECTOR = "workloadSelector: {matchLabels: {app: caller}}";

function messages(yaml: string, { addressing = "own" as "own" | "loopback" } = {}) {
  const { workloads } = snapshotOf(MESH + yaml, { addressing });
  return egressNotices(resourcesOf(MESH + yaml), workloads).map(({ message }) => message);
}

const rows: readonly [name: string, yaml: string, told: RegExp | undefined][] = [
  ["an entry", entry(`{hosts: [a.example], ports: [${HTTP}], resolution: DNS}`), undefined],
  [
    "a selector that selects nobody",
    entry(
      `{hosts: [a.example], ports: [${HTTP}], resolution: STATIC, workloadSelector: {labels: {app: none}}}`,
    ),
    /selects no pod and no WorkloadEntry/,
  ],
  [
    "TLS-39 a credential without a selector",
    rule("{host: a.example, trafficPolicy: {tls: {mode: SIMPLE, credentialName: a}}}"),
    /for gateways alone.*never sent in plaintext/,
  ],
  [
    "a Secret that is not there",
    rule(`{host: a.example, ${SELECTOR}, trafficPolicy: {tls: {mode: SIMPLE, credentialName: a}}}`),
    /Secret web\/a is not there/,
  ],
  [
    "an endpoint that is the pod's own",
    entry(
      `{hosts: [a.example], ports: [${HTTP}], resolution: STATIC, endpoints: [{address: 192.0.2.1}, {address: 127.0.0.1}]}`,
    ),
    /^"127\.0\.0\.1" is the calling pod itself/,
  ],
];
for (const [name, yaml, told] of rows) {
  test(`${name}: ${told === undefined ? "nothing" : "it"} is told`, () => {
    const found = messages(yaml);
    assert.equal(found.length, told === undefined ? 0 : 1, found.join("\n"));
    if (told !== undefined) assert.match(found[0] ?? "", told);
  });
}

test("on the machine's loopback it is told once what passes no sidecar", () => {
  const yaml = entry(
    `{hosts: [a.example], ports: [${HTTP}], resolution: STATIC, endpoints: [{address: 127.0.0.1}]}`,
  );
  const [message, ...others] = messages(yaml, { addressing: "loopback" });
  assert.match(message ?? "", /HTTP proxy alone.*passes no sidecar/);
  assert.deepEqual(others, []);
});

test("calls to outside the mesh are described: where they go, and whom they believe", () => {
  const snapshot = snapshotOf(
    MESH +
      entry(`{hosts: [a.example], ports: [${HTTP}], resolution: DNS}`) +
      rule(
        "{host: a.example, trafficPolicy: {tls: {mode: MUTUAL, clientCertificate: /c, privateKey: /k}}}",
      ),
  );
  const [workload] = snapshot.workloads;
  assert.ok(workload);
  const { destinations } = buildWorkloadView(snapshot, workload).outbound;
  const described = describeCalls(destinations).map(({ origin, to, sentences }) => [
    origin.ref.kind,
    to[0]?.host,
    ...sentences,
  ]);
  assert.deepEqual(described, [
    [
      "ServiceEntry",
      "a.example",
      "outside the mesh: called at a.example:80",
      "names are looked up by the sidecar, again and again",
    ],
    [
      "DestinationRule",
      "a.example",
      "TLS (MUTUAL): the certificate must be of an authority that the system trusts, and of a.example",
      "with the certificate of /c",
    ],
  ]);
});
