import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerStatus, PodStatus, ProcessStatus } from "../local/mesh-status.ts";
import { findTroubles, formatMeshStatus } from "./format-mesh-status.ts";

const NOW = new Date("2026-01-31T12:00:00Z");
const running: ProcessStatus = { name: "sidecar", phase: "running", restarts: 0, processId: 7 };
const program: ContainerStatus = { ...running, name: "api", readiness: "ready" };
const controlPlane = { ...running, listen: "127.0.0.1:20001" };
const pod: PodStatus = {
  namespace: "shop",
  name: "api-0",
  owner: "api",
  kind: "Deployment",
  identity: "spiffe://cluster.local/ns/shop/sa/api",
  sidecar: running,
  adminPort: 20002,
  containers: [program],
  joinedProcessIds: [],
  ports: [
    {
      containerPort: 8080,
      name: "http",
      listen: { address: "127.0.0.1", port: 20003 },
      mutualTls: { mode: "STRICT", origin: "default" },
    },
  ],
  certificateEnds: "2026-01-31T13:30:00.000Z",
  memoryBytes: 70 * 1024 * 1024,
};
const { sidecar: _, identity: __, adminPort: ___, certificateEnds: ____, ...bare } = pod;

test("a mesh in order is a table, and all is well", () => {
  const joined: PodStatus = {
    ...pod,
    name: "billing-0",
    kind: "run",
    containers: [],
    joinedProcessIds: [11, 12],
    ports: [],
    certificateEnds: "2026-01-31T12:00:08.500Z",
  };
  const lines = formatMeshStatus({ controlPlane, pods: [pod, joined] }, NOW);
  assert.deepEqual(lines, [
    "control plane running, at 127.0.0.1:20001, restarts 0",
    "",
    "POD             KIND        SIDECAR  PROGRAMS     RESTARTS  IDENTITY        CERTIFICATE  MEMORY  PORTS",
    "shop/api-0      Deployment  running  api running  0         ns/shop/sa/api  1 h 30 min   70 MiB  8080 at 127.0.0.1:20003 STRICT",
    "shop/billing-0  run         running  process 12   0         ns/shop/sa/api  8 s          70 MiB  -",
    "",
    "memory of 2 pods: 140 MiB",
    "all is well",
  ]);
});

test("a control plane that does not answer is the first line, with the next step, and told once", () => {
  const controlPlaneAway = "the control plane does not answer (it was silent); start it anew";
  const mesh = { controlPlane, controlPlaneAway, pods: [pod] };
  const lines = formatMeshStatus(mesh, NOW);
  assert.equal(lines[0], controlPlaneAway);
  assert.equal(lines.filter((line) => line.includes("control plane")).length, 1);
  assert.ok(!lines.includes("all is well"));
  assert.deepEqual(findTroubles(mesh, NOW), [controlPlaneAway]);
});

test("a pod with Envoy says so", () => {
  const lines = formatMeshStatus({ controlPlane, pods: [{ ...pod, dataPlane: "envoy" }] }, NOW);
  assert.match(lines[3] ?? "", /^shop\/api-0 +Deployment +envoy running +api running/);
});

test("policies whose authorizer nobody can ask are told, and all is not well", () => {
  const unaskable = ["policies.yaml:11 spec.provider.name names nobody"];
  const lines = formatMeshStatus({ controlPlane, pods: [pod], unaskable }, NOW);
  assert.deepEqual(lines.slice(-1), unaskable);
  assert.deepEqual(findTroubles({ controlPlane, pods: [pod], unaskable }, NOW), unaskable);
});

test("issuers whose keys were never had are told, and all is not well", () => {
  const missingTokenKeys = ["tokens are refused whose keys are never fetched, from https://a: no"];
  const lines = formatMeshStatus({ controlPlane, pods: [pod], missingTokenKeys }, NOW);
  assert.deepEqual(lines.slice(-1), missingTokenKeys);
});

test("hosts that a gateway refuses all handshakes of are told, and all is not well", () => {
  const listen = { address: "127.0.0.1", port: 443 };
  const shop = { hosts: ["shop.example.com"], speaks: "https", port: 443, listen } as const;
  const edge: PodStatus = { ...pod, gateway: [shop, { ...shop, problem: "no Secret" }] };
  const told = ["shop/api-0 does not serve shop.example.com: no Secret"];
  assert.deepEqual(formatMeshStatus({ controlPlane, pods: [edge] }, NOW).slice(-1), told);
  assert.deepEqual(findTroubles({ controlPlane, pods: [edge] }, NOW), told);
});

test("a pod without a sidecar has no identity, and is no trouble", () => {
  const ports = bare.ports.map(({ mutualTls: _mode, ...port }) => port);
  const plain: PodStatus = { ...bare, ports };
  const text = formatMeshStatus({ controlPlane, pods: [plain] }, NOW).join("\n");
  assert.match(
    text,
    /Deployment +none +api running +0 +none +- +70 MiB +8080 at \S+ plaintext\n\nmemory of 1 pod: 70 MiB\nall is well/,
  );
});

test("of a sidecar of several processes each certificate is told", () => {
  const ends = ["2026-01-31T13:30:00.000Z", null, "2026-01-31T14:00:00.000Z"];
  const several: PodStatus = { ...pod, processCertificateEnds: ends };
  const text = formatMeshStatus({ controlPlane, pods: [several] }, NOW).join("\n");
  assert.match(text, /running, 3 processes +api running .* 1 h 30 min, none, 2 h 0 min +70 MiB/);
});

const killed = { code: null, signal: "SIGKILL" } as const;
const failed = { code: 1, signal: null } as const;
const success = { code: 0, signal: null } as const;
const job: PodStatus = { ...pod, kind: "Job", sidecar: { ...running, phase: "stopped" } };
const withProgram = (changes: Partial<ContainerStatus>, of = pod): PodStatus => ({
  ...of,
  containers: [{ ...program, ...changes }],
});

const troubles: [what: string, pods: readonly PodStatus[], expected: readonly string[]][] = [
  ["nothing runs", [], []],
  [
    "a sidecar waits to be started again",
    [{ ...pod, sidecar: { ...running, phase: "waiting", lastExit: killed } }],
    ["shop/api-0 sidecar is down: waiting after SIGKILL"],
  ],
  [
    "a program waits to be started again",
    [withProgram({ phase: "waiting", lastExit: failed })],
    ["shop/api-0 api is down: waiting after code 1"],
  ],
  [
    "a pod that is about to go has ended in order",
    [{ ...bare, sidecar: { ...running, phase: "stopped", lastExit: success } }],
    [],
  ],
  ["a program that was restarted runs", [withProgram({ restarts: 3, lastExit: failed })], []],
  [
    "a probe fails",
    [withProgram({ readiness: "not-ready", problem: "GET /healthz answers 503" })],
    ["shop/api-0 api is not ready: GET /healthz answers 503"],
  ],
  ["a Job is done", [withProgram({ phase: "completed", lastExit: success }, job)], []],
  [
    "a Job gave up",
    [withProgram({ phase: "completed", lastExit: failed }, { ...job, sidecar: running })],
    ["shop/api-0 api failed for good, with code 1: its backoffLimit is reached"],
  ],
  [
    "a certificate has ended",
    [{ ...pod, certificateEnds: NOW.toISOString() }],
    [
      "shop/api-0 certificate ended 2026-01-31T12:00:00.000Z, and was not renewed: calls by mutual TLS fail",
    ],
  ],
  [
    "one process of a sidecar does not serve",
    [{ ...pod, processCertificateEnds: ["2026-01-31T13:30:00.000Z", null] }],
    ["shop/api-0 sidecar: process 2 does not serve"],
  ],
  [
    "a sidecar does not answer",
    [{ ...bare, sidecar: running }],
    ["shop/api-0 sidecar does not say which certificate it has"],
  ],
];
for (const [what, pods, expected] of troubles) {
  test(`trouble: ${what}`, () =>
    assert.deepEqual(findTroubles({ controlPlane, pods }, NOW), expected));
}

test("trouble: the control plane is down", () => {
  const fallen = { ...controlPlane, phase: "waiting", lastExit: killed } as const;
  assert.deepEqual(findTroubles({ controlPlane: fallen, pods: [] }, NOW), [
    "the control plane is down: waiting after SIGKILL",
  ]);
});

test("what the control plane warns of is trouble too", () => {
  const warning = "shop/api-0: more than 75 % of its certificate's life has passed without renewal";
  const mesh = { controlPlane, pods: [pod], certificateWarnings: [warning] };
  assert.deepEqual(findTroubles(mesh, NOW), [warning]);
  assert.equal(formatMeshStatus(mesh, NOW).at(-1), warning);
});
