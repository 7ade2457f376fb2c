import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import { formatLocation } from "./resource.ts";

const ANNOTATIONS = "spec.template.metadata.annotations";

interface Written {
  readonly own: string;
  readonly pods?: string;
  readonly kind?: "Deployment" | "StatefulSet" | "Job";
}

const text = ({ own, pods = "", kind = "Deployment" }: Written): string => `apiVersion: ${
  kind === "Job" ? "batch/v1" : "apps/v1"
}
kind: ${kind}
metadata:
  name: api
  ${own}
spec:
${kind === "Job" ? "" : "  selector: {matchLabels: {app: api}}\n"}  template:
    metadata: {labels: {app: api${pods.startsWith("label ") ? pods.slice(5) : ""}}, annotations: {${
      pods.startsWith("label ") ? "" : pods
    }}}
    spec: {restartPolicy: ${kind === "Job" ? "Never" : "Always"}, containers: [{name: a, image: x}]}
`;

const misplaced: readonly [Written, path: string, where: string][] = [
  [{ own: "annotations: {hauberk.dev/proxy: envoy}" }, "hauberk.dev/proxy", ANNOTATIONS],
  [{ own: 'annotations: {hauberk.dev/workload-api: "true"}' }, "workload-api", ANNOTATIONS],
  [
    { own: "annotations: {hauberk.dev/proxi: envoy}" },
    "hauberk.dev/proxi",
    "of ours pods have hauberk.dev/workload-api, hauberk.dev/proxy; write it in",
  ],
  [{ own: "annotations: {inject.istio.io/templates: grpc-agent}" }, "templates", ANNOTATIONS],
  [{ own: 'annotations: {sidecar.istio.io/inject: "false"}' }, "inject", ANNOTATIONS],
  [
    { own: 'annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: "80"}' },
    "excludeOutboundPorts",
    ANNOTATIONS,
  ],
  [
    { own: 'labels: {sidecar.istio.io/inject: "false"}' },
    "sidecar.istio.io/inject",
    "spec.template.metadata.labels",
  ],
  [
    { own: "annotations: {hauberk.dev/proxy: envoy}", kind: "StatefulSet" },
    "proxy",
    "StatefulSet: it is read of pods",
  ],
  [
    { own: "annotations: {hauberk.dev/proxy: envoy}", kind: "Job" },
    "proxy",
    "Job: it is read of pods",
  ],
];
for (const [written, path, where] of misplaced) {
  test(`${written.own} of a ${written.kind ?? "Deployment"} is said to have no effect`, () => {
    const { issues, notices } = parseResources(text(written), "mesh.yaml");
    assert.deepEqual(issues, []);
    assert.equal(notices.length, 1);
    const [notice] = notices;
    assert.ok(notice?.path.includes(path), notice?.path);
    assert.ok(notice?.message.includes(where), notice?.message);
    assert.equal(notice === undefined ? "" : formatLocation(notice.source), "mesh.yaml:5");
  });
}

const silent: readonly [why: string, Written][] = [
  ["nobody's annotation", { own: "annotations: {team: shop, kubernetes.io/change-cause: new}" }],
  [
    "what the template says too",
    { own: "annotations: {hauberk.dev/proxy: envoy}", pods: "hauberk.dev/proxy: envoy" },
  ],
  [
    "a label that the template has too",
    {
      own: 'labels: {sidecar.istio.io/inject: "false"}',
      pods: 'label , sidecar.istio.io/inject: "false"',
    },
  ],
  ["what is where it belongs", { own: "labels: {a: b}", pods: "hauberk.dev/proxy: envoy" }],
];
for (const [why, written] of silent) {
  test(`nothing is said of ${why}`, () => {
    const { issues, notices } = parseResources(text(written), "mesh.yaml");
    assert.deepEqual([issues, notices], [[], []]);
  });
}
