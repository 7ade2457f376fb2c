/** Certificates that have ended change what is said of a mesh that runs: asked of a supervisor and sidecars on real sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type PlannedMesh, plannedMesh } from "../../test/kit/planned-mesh.ts";
import { DataDirectory } from "../local/data-directory.ts";
import type { MeshReply, MeshRequest } from "../local/joining/mesh-socket-messages.ts";
import { writeMeshState } from "../local/mesh-state.ts";
import { type Judgement, judge } from "../policy/judge.ts";
import type { Question } from "../policy/question.ts";
import { readJsonLines, writeJsonLine } from "../runtime/json-lines.ts";
import { identifyProcess } from "../runtime/process-identity.ts";
import { endedCertificate } from "./ended-certificates.ts";

const NOW = new Date("2026-11-23T12:00:00Z");
const ENDED = "2026-11-23T12:00:00.000Z";
const VALID = "2026-11-23T12:00:01.000Z";

const workload = (name: string): string => `---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {serviceAccountName: ${name}, containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
`;
const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
`;
const PLAINTEXT = `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: plain, namespace: shop}
spec: {host: api, trafficPolicy: {tls: {mode: DISABLE}}}
`;
const MESH = plannedMesh(`${NAMESPACE}${workload("web")}${workload("api")}`);
const IN_PLAINTEXT = plannedMesh(`${NAMESPACE}${workload("web")}${workload("api")}${PLAINTEXT}`);

let folder: string;
/** Of each pod; null: its sidecar has none, or does not say. */
let ends: Readonly<Record<string, string | null>> = {};
const asked: string[] = [];
const closing: (() => void)[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-ended-"));
  const directory = new DataDirectory(folder);
  for (const pod of ["web-0", "api-0"]) {
    const sidecar = createHttpServer((_request, response) =>
      response.end(JSON.stringify({ notAfter: ends[pod] ?? null })),
    ).listen(join(folder, pod));
    closing.push(() => sidecar.close());
  }
  const supervisor = createServer((socket) =>
    readJsonLines(socket, (value) => writeJsonLine(socket, answer(value as MeshRequest))),
  ).listen(directory.socket);
  await once(supervisor, "listening");
  closing.push(() => supervisor.close());
  await writeMeshState(directory.meshState, {
    format: 2,
    supervisor: identifyProcess(process.pid) ?? assert.fail("this process does not run"),
    cluster: "Kubernetes",
    controlPlane: "127.0.0.1:1",
    socket: directory.socket,
    workloads: [],
    processes: [],
  });
});
after(async () => {
  for (const close of closing) close();
  await rm(folder, { recursive: true });
});

function answer(request: MeshRequest): MeshReply {
  if (request.type !== "sidecar") return { type: "refused", problem: request.type };
  const { namespace, name } = request;
  asked.push(name);
  return { type: "sidecar", pod: `${namespace}/${name}`, adminSocket: join(folder, name) };
}

const question = (mesh: PlannedMesh): Question => ({
  from: mesh.workload("shop/web"),
  to: mesh.workload("shop/api"),
  containerPort: 8080,
  request: { method: "GET", path: "/", headers: new Map() },
});

async function found(mesh: PlannedMesh, data = folder): Promise<Judgement["decision"] | undefined> {
  const put = question(mesh);
  const judgement = judge(mesh.snapshot, put);
  const ended = await endedCertificate(judgement, put, { data, now: NOW });
  return ended?.judgement.decision;
}

const cases: [
  what: string,
  held: Readonly<Record<string, string | null>>,
  because: string | undefined,
][] = [
  ["neither has ended", { "web-0": VALID, "api-0": VALID }, undefined],
  ["nobody says", { "web-0": null, "api-0": null }, undefined],
  ["the callee's has ended", { "web-0": VALID, "api-0": ENDED }, "callee-not-verified"],
  ["the caller's has ended", { "web-0": ENDED, "api-0": VALID }, "peer-not-verified"],
  [
    "TLS-30 both have ended: the caller looks first",
    { "web-0": ENDED, "api-0": ENDED },
    "callee-not-verified",
  ],
];
for (const [what, held, because] of cases) {
  test(`certificates: ${what}`, async () => {
    ends = held;
    const decision = await found(MESH);
    assert.equal(decision?.reason.because, because);
    if (decision === undefined) return;
    assert.equal(decision.verdict, "deny");
    const problem = "problem" in decision.reason ? decision.reason.problem : "";
    assert.equal(problem, `its certificate ended ${ENDED}, and was not renewed`);
  });
}

test("whoever speaks plaintext shows no certificate, and is asked for none", async () => {
  ends = { "web-0": ENDED, "api-0": ENDED };
  asked.length = 0;
  assert.equal(await found(IN_PLAINTEXT), undefined);
  assert.deepEqual(asked, []);
});

test("where no mesh runs, nobody says", async () => {
  assert.equal(await found(MESH, join(folder, "elsewhere")), undefined);
});
