/** The Workload API and the bundle endpoint as go-spiffe, which none of us wrote, sees them. */
import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { freePort } from "../kit/free-port.ts";
import { buildGoModule } from "../kit/go-program.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

const skip = missingParts("go");
const ID = "spiffe://cluster.local/ns/shop/sa/web";
/** Certificates that the client waits for: two rotations. */
const WANTED = 3;
const STRANGERS_PATIENCE_MS = 10_000;

let folder: string;
let program: string;
let mesh: RunningMesh;

function manifest(url: string): string {
  return `apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web, sidecar.istio.io/inject: "true"}
      annotations:
        hauberk.dev/workload-api: "true"
        proxy.istio.io/config: "proxyMetadata: {SECRET_TTL: 6s}"
    spec:
      serviceAccountName: web
      containers: [{name: web, image: web, command: ["${program}", "${WANTED}", "${url}", stay]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: plain, namespace: shop}
spec:
  selector: {matchLabels: {app: plain}}
  template:
    metadata: {labels: {app: plain, sidecar.istio.io/inject: "true"}}
    spec:
      containers: [{name: plain, image: plain, command: [sh, -c, 'echo "socket=$SPIFFE_ENDPOINT_SOCKET"; sleep 3600']}]
`;
}

before(
  async () => {
    if (skip !== false) return;
    folder = await mkdtemp(join(tmpdir(), "hauberk-"));
    program = join(await buildGoModule("test/interop/workload-api"), "workload-api");
    const port = await freePort();
    const file = join(folder, "mesh.yaml");
    await writeFile(file, manifest(`https://127.0.0.1:${port}/`));
    mesh = await runMesh([file], { parameters: ["--bundle-endpoint", String(port)] });
  },
  { timeout: 280_000 },
);
after(async () => {
  await mesh?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** What the client in the pod has said; waits for a line of this kind. */
async function said(event: string): Promise<readonly Line[]> {
  let text = "";
  return eventually(
    () => `the client to say "${event}"; it said\n${text}`,
    async () => {
      text = await mesh.read(`logs/shop/${mesh.workload("web").name}/web.log`);
      const lines = text
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Line);
      const failed = lines.find((line) => line.event === "failed");
      assert.equal(failed, undefined, JSON.stringify(failed));
      const found = lines.filter((line) => line.event === event);
      return found.length > 0 && found;
    },
  );
}

/** The same program, started by hand: a process of the same user, and of no pod. */
function asStranger(address: string): SpawnSyncReturns<string> {
  const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: address };
  return spawnSync(program, ["1"], { encoding: "utf8", timeout: STRANGERS_PATIENCE_MS, env });
}

test("it watches its certificate through rotations, each verified by the bundle beside it", {
  skip,
}, async () => {
  await said("done");
  const lines = await said("certificate");
  assert.deepEqual(new Set(lines.map(({ id }) => id)), new Set([ID]));
  assert.ok(new Set(lines.map(({ serial }) => serial)).size >= WANTED);
});

test("it fetches a token and validates it by the API and by itself", { skip }, async () => {
  const [token] = await said("token");
  assert.deepEqual(token, {
    ...token,
    id: ID,
    own: ID,
    elsewhere: "InvalidArgument",
    unknown: true,
  });
  assert.ok(
    Number(token?.["life"]) > 200 && Number(token?.["life"]) <= 300,
    String(token?.["life"]),
  );
});

test("without the metadata every kind of call is refused", { skip }, async () => {
  const [line] = await said("without metadata");
  assert.equal(line?.["unary"], "InvalidArgument");
  assert.equal(line?.["streamed"], "InvalidArgument");
});

test("another trust domain fetches the bundle by SPIFFE authentication", { skip }, async () => {
  const [line] = await said("bundle");
  assert.equal(line?.["roots"], 1);
  assert.equal(line?.["keys"], 1);
  assert.equal(line?.["hint"], 60);
  assert.ok(Number(line?.["sequence"]) >= 1);
});

test("a process that is not the pod's gets nothing, and the sidecar names it", {
  skip,
}, async () => {
  const { name } = mesh.workload("web");
  const path = join(mesh.data, "pods", "shop", name, "workload-api.sock");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const { stdout } = asStranger(`unix://${path}`);
  assert.match(stdout, /"event":"watch error"/);
  assert.doesNotMatch(stdout, /"event":"certificate"/);
  const log = await mesh.read(`logs/shop/${name}/sidecar.log`);
  assert.match(log, /Workload API refused: not its workload/);
});

test("a pod that does not ask for it has none", { skip }, async () => {
  const { name } = mesh.workload("plain");
  const text = await eventually("its environment", async () => {
    const log = await mesh.read(`logs/shop/${name}/plain.log`);
    return log.includes("socket=") && log;
  });
  assert.match(text, /^socket=$/m);
});
