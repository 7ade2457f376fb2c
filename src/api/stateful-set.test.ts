import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";

interface Written {
  readonly name?: string;
  readonly spec?: string;
  readonly pod?: string;
  readonly mounts?: string;
  readonly claims?: string;
}

/** The spec's own fields begin at line 5, the pod's at line 10; claims are the last line. */
const text = ({
  name = "etcd",
  spec = "replicas: 1",
  pod = "hostNetwork: false",
  mounts = "[]",
  claims = "[]",
}: Written): string => `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ${name}, namespace: shop}
spec:
  ${spec}
  selector: {matchLabels: {app: etcd}}
  template:
    metadata: {labels: {app: etcd}}
    spec:
      ${pod}
      containers: [{name: main, image: i, volumeMounts: ${mounts}}]
  volumeClaimTemplates: ${claims}
`;
const parse = (written: Written) => parseResources(text(written), "mesh.yaml");

function statefulSet(written: Written) {
  const { resources, issues } = parse(written);
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "StatefulSet");
  return resource;
}

test("defaults", () => {
  const { replicas, serviceName, podManagementPolicy, template } = statefulSet({
    spec: "updateStrategy: null",
  });
  assert.deepEqual([replicas, serviceName, podManagementPolicy], [1, "", "OrderedReady"]);
  assert.equal(template.restartPolicy, "Always");
  assert.deepEqual(template.volumes, []);
});

for (const [spec, expected] of [
  ["updateStrategy: null", { kind: "from", ordinal: 0 }],
  ["updateStrategy: {type: RollingUpdate}", { kind: "from", ordinal: 0 }],
  ["updateStrategy: {rollingUpdate: {partition: 2}}", { kind: "from", ordinal: 2 }],
  ["updateStrategy: {type: OnDelete}", { kind: "on delete" }],
] as const)
  test(`how pods are replaced, of {${spec}}`, () => {
    assert.deepEqual(statefulSet({ spec }).strategy, expected);
  });

for (const [strategy, problem] of [
  [
    "{type: Recreate}",
    /updateStrategy\.type is .*"Recreate".*; expected one of RollingUpdate, OnDelete/,
  ],
  ["{rollingUpdate: {partition: -1}}", /partition is the number -1/],
  ["{type: OnDelete, rollingUpdate: {partition: 1}}", /may not be given when type is "OnDelete"/],
] as const)
  test(`refused: updateStrategy: ${strategy}`, () => {
    const { issues } = parse({ spec: `updateStrategy: ${strategy}` });
    assert.match(issues.map(({ path, problem: said }) => `${path} ${said}`).join(), problem);
  });

test("no service, as a server writes it", () => {
  assert.equal(statefulSet({ spec: 'serviceName: ""' }).serviceName, "");
});

test("all that is used", () => {
  const { replicas, serviceName, podManagementPolicy } = statefulSet({
    spec: "replicas: 3\n  serviceName: peers\n  podManagementPolicy: Parallel",
  });
  assert.deepEqual([replicas, serviceName, podManagementPolicy], [3, "peers", "Parallel"]);
});

test("a claim is a volume that containers can mount, and wins over the pod's own of its name", () => {
  const written = {
    pod: "volumes: [{name: data, emptyDir: {}}, {name: scratch}]",
    mounts: "[{name: data, mountPath: /var/lib/etcd}]",
    claims: "[{metadata: {name: data}, spec: {resources: {requests: {storage: 1Gi}}}}]",
  };
  const { template } = statefulSet(written);
  assert.deepEqual(template.volumes, [
    { kind: "claim", name: "data", source: { file: "mesh.yaml", line: 12 } },
    { kind: "emptyDir", name: "scratch", source: { file: "mesh.yaml", line: 10 } },
  ]);
  assert.equal(template.containers[0]?.volumeMounts[0]?.name, "data");
  assert.deepEqual(
    parse(written).notices.map(({ message }) => message),
    [],
  );
});

test("a claim as a cluster writes it", () => {
  const claims =
    "[{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, creationTimestamp: null}, status: {phase: Pending}}]";
  assert.equal(statefulSet({ claims }).template.volumes[0]?.name, "data");
  assert.deepEqual(parse({ claims }).notices, []);
});

const invalid: [name: string, written: Written, issue: RegExp][] = [
  ["name", { name: "a.b" }, /^3 metadata\.name: "a\.b" is not a DNS label/],
  ["replicas", { spec: "replicas: 101" }, /^5 spec\.replicas: is the number 101/],
  ["unknown field", { spec: "replica: 1" }, /^5 spec\.replica: .*did you mean replicas\?$/],
  ["service", { spec: "serviceName: A" }, /^5 spec\.serviceName: "A" is not a DNS subdomain/],
  [
    "order",
    { spec: "podManagementPolicy: Sequential" },
    /^5 .*is "Sequential"; expected one of OrderedReady, Parallel$/,
  ],
  ["ordinals", { spec: "ordinals: {start: 1}" }, /^5 spec\.ordinals: not supported yet: ordinals$/],
  ["restart policy", { pod: "restartPolicy: Never" }, /^10 .*expected one of Always$/],
  [
    "a mount of a claim that is not there",
    { mounts: "[{name: data, mountPath: /data}]" },
    /^11 .*volumeMounts\[0\]\.name: "data" is not a volume of the pod$/,
  ],
  [
    "claim without a name",
    { claims: "[{metadata: {}}]" },
    /^12 .*\[0\]\.metadata\.name: is missing$/,
  ],
  ["claim's name", { claims: "[{metadata: {name: A}}]" }, /metadata\.name: "A" is not a DNS label/],
  [
    "claim twice",
    { claims: "[{metadata: {name: a}}, {metadata: {name: a}}]" },
    /volumeClaimTemplates\[1\]\.metadata\.name: "a" is given twice$/,
  ],
  [
    "unknown field of a claim",
    { claims: "[{metadata: {name: a}, spek: {}}]" },
    /volumeClaimTemplates\[0\]\.spek: is not a known field; did you mean spec\?$/,
  ],
  [
    "a volume claimed elsewhere",
    { pod: "volumes: [{name: a, persistentVolumeClaim: {claimName: b}}]" },
    /not supported yet: volume type persistentVolumeClaim$/,
  ],
];
for (const [name, written, issue] of invalid) {
  test(`${name}: ${JSON.stringify(written)} is refused`, () => {
    const { resources, issues } = parse(written);
    const found = issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.deepEqual(resources, []);
  });
}

test("a selector that misses the pods is refused, as a Deployment's is", () => {
  const wrong = text({}).replace("matchLabels: {app: etcd}", "matchLabels: {app: other}");
  const [issue] = parseResources(wrong, "f").issues;
  assert.equal(issue?.path, "spec.selector.matchLabels.app");
  assert.match(issue?.problem ?? "", /does not match the labels of the template/);
});
