/**
 * Sidecars of several processes that share their ports: each with a certificate of its own, all of them asked as one. One
 * is killed under load, all are rotated, drained, and written about in one log.
 */
import assert from "node:assert/strict";
import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { AuthorityOverview } from "../../src/control/authority-overview.ts";
import type { SidecarCertificates } from "../../src/identity/sidecar-certificates.ts";
import type { SidecarDump } from "../../src/proxy/admin-dump.ts";
import { identifyProcess } from "../../src/runtime/process-identity.ts";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import { askAdmin } from "../kit/ask-admin.ts";
import { eventually } from "../kit/eventually.ts";
import { runHauberk } from "../kit/hauberk-command.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { PodAgent } from "../kit/pod-agent.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { isFailure, outcomesBetween } from "../kit/steady-load.ts";

const skip = missingParts("curl");
/** Of `api`, by its annotation; the caller has two, by the mesh's default. */
const PROCESSES = 3;
const CALLERS = 2;
/** At 100 requests a second; what is sent while the first connections are made may take as long as a handshake. */
const WATCH_MS = 4_000;
/** In which even a busy machine ends a process, and closes its connections. */
const AT_ONCE_MS = 1_000;
/** More are under way at once only when the machine stands still. */
const MAX_UNDER_WAY = 12;

/** Of a log, before it begins anew. */
const LOG_BYTES = 25 * 1024 * 1024;
const LINE_BYTES = 10_000;

let mesh: RunningMesh;
let agent: PodAgent;
before(async () => {
  mesh = await runMesh(["test/meshes/concurrency"]);
  agent = new PodAgent(mesh.data, "shop/caller-0");
  await delay(2_000);
});
after(() => mesh?.stop());

const adminSocket = (pod: string): string =>
  join(mesh.data, "pods", "shop", pod, "admin", "admin.sock");

async function asked<T>(pod: string, path: string): Promise<T> {
  const { status, body } = await askAdmin(adminSocket(pod), { path });
  assert.equal(status, 200, body);
  return JSON.parse(body) as T;
}

async function serialsOf(pod: string): Promise<readonly string[]> {
  const { processes = [] } = await asked<SidecarCertificates>(pod, "/certs");
  return processes.flatMap(({ serialNumber }) => serialNumber ?? []);
}

async function processIdsOf(pod: string): Promise<readonly number[]> {
  const { processes = [] } = await asked<SidecarDump>(pod, "/config_dump");
  return processes.flatMap(({ processId }) => processId ?? []);
}

async function counted(pod: string, series: RegExp): Promise<number> {
  const { body } = await askAdmin(adminSocket(pod), { path: "/stats" });
  const values = body.split("\n").filter((line) => series.test(line));
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

const REQUESTS = /^istio_requests_total\{/;

async function readiness(pod: string): Promise<number> {
  return (await askAdmin(adminSocket(pod), { path: "/ready" })).status;
}

const accessLog = (pod: string): string => join(mesh.data, `logs/shop/${pod}/access.log`);

const loadLog = (): string => join(mesh.data, "logs/shop/caller-0/load.log");

async function entriesOf(pod: string, log = "access.log"): Promise<readonly AccessLogEntry[]> {
  const text = await mesh.read(`logs/shop/${pod}/${log}`);
  const lines = text.split("\n").slice(0, -1); // the last may be on its way
  return lines.map((line) => JSON.parse(line) as AccessLogEntry);
}

/** One at a time, each on a connection of its own, as the pod's application makes it. */
async function statusesOf(path: string, count: number): Promise<Readonly<Record<string, number>>> {
  const url = `http://$API_SERVICE_HOST:$API_SERVICE_PORT${path}`;
  const one = `curl -s -o /dev/null -w '%{http_code}\\n' -H 'host: api:8080' ${url}`;
  const { output, errors } = await agent.runScript(
    `for i in $(seq ${count}); do ${one}; done`,
    60_000,
  );
  const statuses: Record<string, number> = {};
  for (const status of output.trim().split("\n")) statuses[status] = (statuses[status] ?? 0) + 1;
  assert.equal(errors, "");
  return statuses;
}

test("each process has a key of its own: as many certificates, none twice", async () => {
  const serials = [...(await serialsOf("api-0")), ...(await serialsOf("caller-0"))];
  assert.equal(new Set(serials).size, PROCESSES + CALLERS);
  const { code, output } = await runHauberk([
    ...["proxy-config", "secret", "api-0.shop", "--data", mesh.data],
  ]);
  assert.equal(code, 0);
  assert.match(output, /^default +Cert Chain +ACTIVE.*\ndefault\/2 +.*ACTIVE.*\ndefault\/3 +/m);
  const status = await runHauberk(["status", "--data", mesh.data]);
  assert.match(status.output, /shop\/api-0 +Deployment +running, 3 processes/);
  assert.match(status.output, /all is well/);
});

test("requests are spread over the processes of the caller, and each shows its own certificate", {
  skip,
}, async () => {
  assert.deepEqual(await statusesOf("/", 60), { 200: 60 });
  const serials = new Set(await serialsOf("caller-0"));
  const shown = (await entriesOf("api-0"))
    .filter(({ reporter, response_code }) => reporter === "destination" && response_code === 200)
    .map((entry) => entry.source_certificate_serial ?? "none");
  assert.deepEqual(new Set(shown), serials);
});

test("metrics are those of all processes together", async () => {
  await eventually("as many as the log has", async () => {
    const sum = await counted("api-0", REQUESTS);
    const logged = (await entriesOf("api-0")).filter((entry) => entry.response_code !== null);
    return Math.abs(sum - logged.length) <= MAX_UNDER_WAY;
  });
  assert.equal(await counted("api-0", /^hauberk_sidecar_processes /), PROCESSES);
});

for (const pod of ["api-0", "caller-0"])
  test(`kill -9 of each process of ${pod} in turn: only what it had under way fails, and another takes its place`, async (context) => {
    for (const [index, processId] of (await processIdsOf(pod)).entries()) {
      const before = await serialsOf(pod);
      const countedBefore = await counted(pod, REQUESTS);
      const from = Date.now();
      process.kill(processId, "SIGKILL");
      await eventually("not all serve", async () => (await readiness(pod)) === 503);
      await eventually("all serve again", async () => (await readiness(pod)) === 200);
      await delay(WATCH_MS);
      const outcomes = await outcomesBetween(loadLog(), {
        from: from - 1_000,
        to: Date.now() - 500,
      });
      const failures = outcomes.filter(isFailure);
      context.diagnostic(`process ${index + 1}: ${failures.length} of ${outcomes.length} failed`);
      assert.ok(outcomes.length > 200, `${outcomes.length} requests`);
      assert.ok(failures.length <= MAX_UNDER_WAY, `${failures.length} requests failed`);
      const last = Math.max(0, ...failures.map(({ sentAt }) => sentAt - from));
      assert.ok(last <= AT_ONCE_MS, `one failed that was sent ${last} ms after the kill`);
      const changed = (await serialsOf(pod)).map((serial, at) => serial !== before[at]);
      assert.deepEqual(
        changed,
        before.map((_, at) => at === index),
      );
      assert.ok((await counted(pod, REQUESTS)) >= countedBefore);
    }
  });

test("a full log begins anew while all go on: every line is whole, and none is missing", {
  skip,
}, async () => {
  const before = [await loggedRequests("api-0"), await loggedRequests("caller-0")];
  const sentBefore = await sent();
  for (const pod of ["api-0", "caller-0"]) {
    const filler = `${JSON.stringify({ filler: "x".repeat(LINE_BYTES) })}\n`;
    const file = await open(accessLog(pod), "a");
    await file.write(filler.repeat(Math.floor(LOG_BYTES / filler.length))); // in one piece
    await file.close();
  }
  assert.deepEqual(await statusesOf("/", 40), { 200: 40 });
  const least = 40 + (await sent()) - sentBefore;
  await delay(1_000);
  for (const [index, pod] of ["api-0", "caller-0"].entries()) {
    // Until it has, what is being copied stands in both.
    await eventually(
      `the log of ${pod} has begun anew`,
      async () => (await stat(accessLog(pod))).size < LOG_BYTES / 2,
    );
    const older = await stat(`${accessLog(pod)}.1`);
    assert.ok(older.size >= LOG_BYTES, `${pod}: ${older.size}`);
    const lines = (await loggedRequests(pod)) - (before[index] ?? 0);
    assert.ok(lines >= least, `${pod}: ${lines} lines, not ${least}`);
  }
});

/** In all that its logs still hold. */
async function loggedRequests(pod: string): Promise<number> {
  const entries = [...(await entriesOf(pod, "access.log.1")), ...(await entriesOf(pod))];
  return entries.filter(({ reporter }) => reporter !== undefined).length;
}

/** By the load, with success: what fails on its way may be in one log alone. */
async function sent(): Promise<number> {
  const text = await readFile(loadLog(), "utf8");
  return text.split("\n").filter((line) => line.endsWith('"status":200}')).length;
}

test("one level of logging is told to all", async () => {
  const question = { path: "/logging?level=debug", method: "POST" };
  assert.equal((await askAdmin(adminSocket("api-0"), question)).status, 200);
  const { body } = await askAdmin(adminSocket("api-0"), { path: "/logging" });
  assert.equal(JSON.parse(body).level, "debug");
  const [, second = 0] = await processIdsOf("api-0");
  process.kill(second, "SIGKILL"); // whoever comes later is told, too: the next test sees it
  await eventually("it is back", async () => {
    const [, next = second] = await processIdsOf("api-0");
    const { status } = await askAdmin(adminSocket("api-0"), { path: "/ready" });
    return next !== second && status === 200;
  });
});

test("a rotation waits for every process, and all of them renew", async () => {
  const ca = async (...parameters: readonly string[]): Promise<string> => {
    const { code, output, errors } = await runHauberk(["ca", ...parameters, "--data", mesh.data]);
    assert.equal(code, 0, `${parameters.join(" ")}: ${output}${errors}`);
    return output;
  };
  const overview = async (): Promise<AuthorityOverview> => JSON.parse(await ca("status", "--json"));
  const { sidecars } = await overview();
  assert.deepEqual(
    sidecars.map(({ pod, process, connection }) => `${pod} ${process} ${connection}`),
    [
      ...[1, 2, 3].map((one) => `shop/api-0 ${one} connected`),
      ...[1, 2].map((one) => `shop/caller-0 ${one} connected`),
    ],
  );
  const before = await serialsOf("api-0");
  const from = Date.now();
  await ca("prepare");
  const acknowledged = async (): Promise<boolean> =>
    (await overview()).sidecars.every((one) => one.acknowledged);
  await eventually("all acknowledge", acknowledged);
  await ca("activate");
  await ca("taint");
  await eventually("all renew", async () => {
    const { authorities, sidecars: now } = await overview();
    const active = authorities[0]?.id;
    return now.length === PROCESSES + CALLERS && now.every(({ issuer }) => issuer === active);
  });
  await ca("revoke");
  await delay(1_000);
  const serials = await serialsOf("api-0");
  assert.equal(new Set([...serials, ...before]).size, 2 * PROCESSES);
  const outcomes = await outcomesBetween(loadLog(), { from, to: Date.now() - 500 });
  // Who waits in vain for two seconds may do so because the machine has too much to do.
  const refused = outcomes.filter((one) => isFailure(one) && one.error !== "no answer");
  assert.deepEqual(refused, []);
  const log = (await mesh.read("logs/shop/api-0/sidecar.log")).split("\n");
  const renewed = log.filter((line) => line.includes('"message":"certificate in use"'));
  for (const one of [1, 2, 3])
    assert.ok(
      renewed.some((line) => line.includes(`"process":${one},`)),
      `process ${one}`,
    );
});

test("on SIGTERM all processes let what they have end", { skip }, async () => {
  const { processes } = await mesh.currentState();
  const sidecar = processes.find(({ title }) => title === "shop/api-0 sidecar");
  assert.ok(sidecar);
  const asking = "curl -s -H 'host: api:8080' http://$API_SERVICE_HOST:$API_SERVICE_PORT/slow";
  const answers = agent.runScript(`for i in 1 2 3 4 5 6 7 8; do ${asking} & done; wait`, 20_000);
  await delay(700);
  process.kill(-sidecar.processId, "SIGTERM");
  assert.equal((await answers).output, "slow".repeat(8));
  await eventually("another sidecar", async () => {
    const { processes: now } = await mesh.currentState();
    const next = now.find(({ title }) => title === "shop/api-0 sidecar");
    return next !== undefined && next.processId !== sidecar.processId;
  });
  await eventually("it serves", async () => {
    const socket = await stat(adminSocket("api-0")).catch(() => undefined);
    return socket !== undefined && (await readiness("api-0").catch(() => 0)) === 200;
  });
});

test("kill -9 of the process that holds the ports ends all, and the sidecar is back as a whole", async () => {
  const { processes } = await mesh.currentState();
  const sidecar = processes.find(({ title }) => title === "shop/api-0 sidecar");
  assert.ok(sidecar);
  const before = [sidecar.processId, ...(await processIdsOf("api-0"))];
  process.kill(sidecar.processId, "SIGKILL");
  await eventually("their end", () => before.every((one) => identifyProcess(one) === undefined));
  await eventually("it serves", async () => {
    const socket = await stat(adminSocket("api-0")).catch(() => undefined);
    return socket !== undefined && (await readiness("api-0").catch(() => 0)) === 200;
  });
  assert.equal(new Set([...before, ...(await processIdsOf("api-0"))]).size, 1 + 2 * PROCESSES);
});

test("POST /drain drains all: nobody is served any more, and none that ends comes back", {
  skip,
}, async () => {
  const { status } = await askAdmin(adminSocket("api-0"), { path: "/drain", method: "POST" });
  assert.equal(status, 202);
  const ready = await askAdmin(adminSocket("api-0"), { path: "/ready" });
  assert.deepEqual([ready.status, ready.body], [503, "draining\n"]);
  await delay(500);
  assert.deepEqual(await statusesOf("/", 5), { 503: 5 });
});
