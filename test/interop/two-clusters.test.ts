/**
 * Two meshes under one root, made as the guide says: who may call across, and what stays of it when parts of either mesh
 * fall, stop or come back.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import {
  type ClusterMesh,
  makeAuthorities,
  portsOf,
  remoteClusterOf,
  runCluster,
} from "../kit/cluster-meshes.ts";
import { eventually } from "../kit/eventually.ts";
import { runHauberk } from "../kit/hauberk-command.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { isFailure, outcomesBetween, type RequestOutcome } from "../kit/steady-load.ts";

const skip = missingParts("openssl");
/** In which a control plane is started again and finds the other. */
const WATCH_MS = 8_000;
/** At 20 requests a second, timers and a busy machine allowed for. */
const LEAST_PER_SECOND = 12;

let folder: string;
let east: ClusterMesh;
let west: ClusterMesh;

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  await makeAuthorities(folder);
  const run = (name: "east" | "west"): Promise<ClusterMesh> =>
    runCluster({ folder, name, files: name, authority: join(folder, "authorities", name) });
  [east, west] = await Promise.all([run("east"), run("west")]);
});
after(async () => {
  await Promise.all([east?.stop(), west?.stop()]);
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

interface Span {
  readonly from: number;
  readonly to: number;
}

function callsOf(caller: string, span: Span): Promise<readonly RequestOutcome[]> {
  return outcomesBetween(join(west.data, "logs/shop", `${caller}-0`, `${caller}.log`), span);
}

/** Of the frontend's GET requests. */
async function reads(span: Span): Promise<readonly RequestOutcome[]> {
  return (await callsOf("frontend", span)).filter(({ method }) => method === "GET");
}

/** Reads from now on, until the newest of them ended so. */
async function untilReadsEnd(
  what: string,
  wanted: (call: RequestOutcome) => boolean,
): Promise<void> {
  const from = Date.now();
  let newest: RequestOutcome | undefined;
  await eventually(
    () => `${what}; the newest is ${JSON.stringify(newest)}`,
    async () => {
      newest = (await reads({ from, to: Date.now() })).at(-1);
      return newest !== undefined && wanted(newest);
    },
  );
}

async function eastLog(): Promise<AccessLogEntry[]> {
  const { output, errors } = await runHauberk(["logs", "--json", "--data", east.data]);
  assert.notEqual(output, "", errors);
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as AccessLogEntry);
}

test("meshes that run side by side share no port", { skip }, () => {
  const all = [...portsOf(east), ...portsOf(west)];
  assert.equal(new Set(all).size, all.length);
  assert.equal(east.state.cluster, "east");
});

test("a mesh that knows of no other has nobody behind its service", { skip }, async () => {
  await untilReadsEnd("503", ({ status }) => status === 503);
});

test("CA-54: a call to the other mesh is allowed and refused by its policy, by the caller's principal", {
  skip,
}, async () => {
  await writeFile(join(west.files, "east.yaml"), await remoteClusterOf(east));
  await untilReadsEnd("200 from the other mesh", ({ status }) => status === 200);
  const from = Date.now();
  const frontend = await eventually("a DELETE of the frontend", async () => {
    const calls = await callsOf("frontend", { from, to: Date.now() });
    return calls.some(({ method }) => method === "DELETE") && calls.length > 10 && calls;
  });
  for (const { method, status } of frontend) assert.equal(status, method === "GET" ? 200 : 403);
  const reports = await eventually("calls of reports", async () => {
    const calls = await callsOf("reports", { from, to: Date.now() });
    return calls.length > 10 && calls;
  });
  for (const { status } of reports) assert.equal(status, 403);
});

test("the callee's access log names the caller, by a certificate that the caller's authority issued", {
  skip,
}, async () => {
  const logged = await eastLog();
  const of = (account: string): AccessLogEntry[] =>
    logged.filter((one) => one.source_principal === `spiffe://cluster.local/ns/shop/sa/${account}`);
  assert.ok(of("frontend").some((one) => one.response_code === 200));
  assert.ok(of("reports").length > 10);
  for (const { response_code } of of("reports")) assert.equal(response_code, 403);
  assert.equal(logged.filter((one) => one.source_principal === null).length, 0);
  const serials = new Set(logged.map((one) => one.source_certificate_serial ?? assert.fail()));
  const [byWest, byEast] = await Promise.all([
    west.read("ca/issued.jsonl"),
    east.read("ca/issued.jsonl"),
  ]);
  for (const serial of serials) {
    assert.ok(byWest.toUpperCase().includes(serial), `west has not issued ${serial}`);
    assert.ok(!byEast.toUpperCase().includes(serial), `east has issued ${serial}`);
  }
  const used = new Set(logged.map(({ downstream_local_address }) => downstream_local_address));
  assert.equal(used.size, 2, "both endpoints are called");
});

test("`hauberk status` shows the other mesh, and all is well", { skip }, async () => {
  const { code, output } = await runHauberk(["status", "--data", west.data]);
  assert.match(output, /^this is the cluster west, of trust domain cluster\.local$/m);
  assert.match(output, /^east +127\.0\.0\.1:\d+ +connected for .* 1 +2 +\d+ s ago$/m);
  assert.match(output, /^all is well$/m);
  assert.equal(code, 0);
});

test("the control plane's metrics tell of the other mesh", { skip }, async () => {
  const { output } = await runHauberk(["ca", "metrics", "--data", west.data]);
  assert.match(output, /^hauberk_remote_cluster_connected\{cluster="east"\} 1$/m);
});

const ORDERS = `apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec:
  selector: {app: api}
  ports: [{name: http, port: 8080}]
`;

test("a service that only the other mesh has is reached by name, through the HTTP proxy of the pod", {
  skip: missingParts("openssl", "curl"),
}, async () => {
  await writeFile(join(east.files, "orders.yaml"), ORDERS);
  const url = "http://orders.shop:8080/orders";
  for (const [account, expected] of [
    ["frontend", 200],
    ["reports", 403],
  ] as const) {
    const visitor = ["run", "--data", west.data, "-n", "shop", "--name", "visitor"];
    const program = ["curl", "-s", "-w", "%{http_code}", "-o", "/dev/null", url];
    await eventually(`${expected} for ${account}`, async () => {
      const { output } = await runHauberk([
        ...visitor,
        "--service-account",
        account,
        "--",
        ...program,
      ]);
      return output === `${expected}`;
    });
  }
  await rm(join(east.files, "orders.yaml"));
  await eventually("it is gone", async () => (await west.remote())?.services === 1);
});

async function controlPlaneOf(mesh: ClusterMesh): Promise<number> {
  const { processes } = await mesh.currentState();
  const found = processes.find(({ title }) => title === "control plane");
  return found?.processId ?? assert.fail("no control plane");
}

/** Kills it, waits until another runs and has had time to meet the others, and judges the calls meanwhile. */
async function killControlPlane(mesh: ClusterMesh): Promise<void> {
  const victim = await controlPlaneOf(mesh);
  const from = Date.now();
  process.kill(victim, "SIGKILL");
  await delay(WATCH_MS);
  const outcomes = await reads({ from, to: Date.now() - 500 });
  assert.ok(outcomes.length >= (LEAST_PER_SECOND * WATCH_MS) / 1000, `only ${outcomes.length}`);
  assert.deepEqual(outcomes.filter(isFailure), []);
  assert.notEqual(await controlPlaneOf(mesh), victim);
}

test("a control plane that is killed disturbs no call, in either mesh", { skip }, async () => {
  await killControlPlane(east);
  await killControlPlane(west);
  assert.equal((await west.remote())?.phase, "connected");
});

test("a control plane that starts anew while the other is silent goes on with what it heard last", {
  skip,
}, async () => {
  const silent = await controlPlaneOf(east);
  process.kill(silent, "SIGSTOP");
  try {
    await killControlPlane(west);
    const remote = await west.remote();
    assert.notEqual(remote?.phase, "connected");
    assert.equal(remote?.endpoints, 2);
  } finally {
    process.kill(silent, "SIGCONT");
  }
  await eventually("connected again", async () => (await west.remote())?.phase === "connected");
});

test("a pod that stops is taken out of the other mesh, and comes back with its mesh's next change", {
  skip,
}, async () => {
  const untilEndpoints = (count: number): Promise<unknown> =>
    eventually(`${count} endpoints`, async () => (await west.remote())?.endpoints === count);
  await east.change("mesh.yaml", { "replicas: 2": "replicas: 1" });
  await untilEndpoints(1);
  const from = Date.now();
  await delay(2_000);
  assert.deepEqual((await reads({ from, to: Date.now() - 200 })).filter(isFailure), []);
  await east.change("mesh.yaml", { "replicas: 1": "replicas: 0" });
  await untilEndpoints(0);
  await untilReadsEnd("503", ({ status }) => status === 503);
  await east.change("mesh.yaml", { "replicas: 0": "replicas: 2" });
  await untilReadsEnd("200 again", ({ status }) => status === 200);
});

test("a mesh that ends and starts again is found on its port, and its services are back", {
  skip,
}, async () => {
  const before = east.state.controlPlane;
  await east.stop();
  await eventually("away", async () => (await west.remote())?.phase === "away");
  const { code, troubles } = await west.status();
  assert.equal(code, 1);
  assert.match(troubles.join("\n"), /^remote cluster east at \S+ is away for /m);
  east = await runCluster({
    folder,
    name: "east",
    files: "east",
    authority: join(folder, "authorities/east"),
  });
  assert.equal(east.state.controlPlane, before);
  await untilReadsEnd("200 again", ({ status }) => status === 200);
});

test("a RemoteCluster that is deleted ends it", { skip }, async () => {
  await rm(join(west.files, "east.yaml"));
  await untilReadsEnd("503", ({ status }) => status === 503);
  assert.deepEqual((await west.status()).remoteClusters.remoteClusters, []);
});
