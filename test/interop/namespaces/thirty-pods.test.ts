/** A mesh of thirty pods on this one machine: how long it takes to come up, what it needs, and that all reach all. */
import assert from "node:assert/strict";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import type { MeshStatus } from "../../../src/local/mesh-status.ts";
import type { AccessLogEntry } from "../../../src/telemetry/access-log.ts";
import { eventually } from "../../kit/eventually.ts";
import {
  type Account,
  type NamespacesMesh,
  namespacesForbidden,
  openAccount,
  startNamespacesMesh,
} from "../../kit/namespaces-mesh.ts";

const NAMES = Array.from({ length: 30 }, (_, index) => `member-${index + 1}`);
const MIB = 1024 * 1024;
/** On two cores that have nothing else to do it is a third of this. */
const UP_WITHIN_MS = 60_000;

let account: Account;
let forbidden: string | undefined;
let mesh: NamespacesMesh | undefined;
let upMs = 0;

before(async () => {
  account = await openAccount("ordinary");
  forbidden = await namespacesForbidden(account);
  if (forbidden !== undefined) return;
  const files = join(account.folder, "mesh");
  await mkdir(files);
  await copyFile("test/meshes/crowd/member.mjs", join(files, "member.mjs"));
  await writeFile(join(files, "mesh.yaml"), [COMMON, ...NAMES.map(member)].join("---\n"));
  await account.own(files);
  const since = performance.now();
  mesh = await startNamespacesMesh(account, { files });
  upMs = performance.now() - since;
});
after(async () => {
  await mesh?.stop();
  await account.remove();
});

function runningMesh(context: TestContext): NamespacesMesh | undefined {
  if (forbidden !== undefined) context.skip(`this machine does not allow it: ${forbidden}`);
  return mesh;
}

test("thirty pods come up", (context) => {
  if (runningMesh(context) === undefined) return;
  context.diagnostic(`30 pods on ${cpus().length} cores: up after ${(upMs / 1000).toFixed(1)} s`);
  assert.ok(upMs <= UP_WITHIN_MS, `${upMs} ms`);
});

test("hauberk status tells the memory of each pod, and of all", async (context) => {
  const running = runningMesh(context);
  if (running === undefined) return;
  const { said, code } = await account.run(["status", "--data", running.data]);
  assert.equal(code, 0, said);
  const shown = [...said.matchAll(/^crowd\/member-\d+-0 .* (\d+) MiB /gm)].map(([, mib]) =>
    Number(mib),
  );
  assert.equal(shown.length, NAMES.length, said);
  const [, sum] = /^memory of 30 pods: (\d+) MiB$/m.exec(said) ?? [];
  const added = shown.reduce((total, one) => total + one, 0);
  assert.ok(Math.abs(Number(sum) - added) <= NAMES.length, `${sum} is not the sum ${added}`);
  const { pods } = await statusOf(running);
  const sizes = pods.map(({ memoryBytes = 0 }) => memoryBytes / MIB).sort((a, b) => a - b);
  assert.ok(
    sizes.every((size) => size > 10 && size < 500),
    `${sizes}`,
  );
  context.diagnostic(
    `memory: ${sum} MiB in all, median ${sizes[sizes.length >> 1]?.toFixed(0)} MiB and most ${sizes.at(-1)?.toFixed(0)} MiB a pod`,
  );
});

test("every pod calls every other once, over mutual TLS", async (context) => {
  const running = runningMesh(context);
  if (running === undefined) return;
  const since = performance.now();
  const scratch = (name: string): string => join(running.data, "pods/crowd", `${name}-0`, "tmp");
  for (const name of NAMES) await writeFile(join(scratch(name), "go"), "");
  for (const name of NAMES) {
    const said = await eventually(`the answers that ${name} got`, () =>
      readFile(join(scratch(name), "answers.json"), "utf8").catch(() => undefined),
    );
    const others = NAMES.filter((other) => other !== name);
    const expected = Object.fromEntries(others.map((other) => [other, `200 ${other}-0`]));
    assert.deepEqual(JSON.parse(said), expected, name);
  }
  context.diagnostic(`870 calls, one after the other in each pod: ${seconds(since)} s`);
  for (const name of NAMES) {
    await eventually(
      () => `${name}'s sidecar to have logged a call of each other`,
      async () => (await callersOf(running, name)).size === NAMES.length - 1,
    );
  }
});

/** Those who proved who they are. */
async function callersOf(running: NamespacesMesh, name: string): Promise<ReadonlySet<string>> {
  const text = await running.read(`logs/crowd/${name}-0/access.log`);
  const entries = text
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as AccessLogEntry);
  return new Set(
    entries.flatMap(({ reporter, source_principal: caller }) =>
      reporter === "destination" && caller !== null ? [caller] : [],
    ),
  );
}

async function statusOf(running: NamespacesMesh): Promise<MeshStatus> {
  const { said } = await account.run(["status", "--json", "--data", running.data]);
  return JSON.parse(said) as MeshStatus;
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

const COMMON = `apiVersion: v1
kind: Namespace
metadata:
  name: crowd
  labels: {istio-injection: enabled}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: istio-system
spec:
  mtls: {mode: STRICT}
`;

function member(name: string): string {
  const others = NAMES.filter((other) => other !== name).map((other) => `"${other}"`);
  return `apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${name}
  namespace: crowd
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: crowd
spec:
  selector: {app: ${name}}
  ports:
  - name: http
    port: 8080
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: crowd
spec:
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      serviceAccountName: ${name}
      containers:
      - name: member
        image: node:20
        command: ["node", "member.mjs", ${others.join(", ")}]
        ports:
        - containerPort: 8080
`;
}
