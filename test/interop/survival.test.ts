/** Kills each part of a mesh under load: who does not touch it must not notice, who does must be back within 3 s. */
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { isFailure, outcomesBetween } from "../kit/steady-load.ts";

const BACK_WITHIN_MS = 3_000;
const WATCH_MS = 6_000;
/** At 50 requests a second, timers and a busy machine allowed for. */
const LEAST_PER_SECOND = 35;

let mesh: RunningMesh;
let folder: string;
let files: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  files = join(folder, "mesh");
  await cp("test/meshes/pairs", files, { recursive: true });
  mesh = await runMesh([files], join(folder, "data"));
  await delay(2_000);
});
after(async () => {
  await mesh?.stop();
  await rm(folder, { recursive: true, force: true });
});

const loadLog = (caller: string): string =>
  join(mesh.data, "logs/pairs", `${caller}-0`, "load.log");

async function assertUndisturbed(caller: string, from: number, to: number): Promise<void> {
  const outcomes = await outcomesBetween(loadLog(caller), { from, to });
  assert.ok(
    outcomes.length >= (LEAST_PER_SECOND * (to - from)) / 1000,
    `${caller} sent only ${outcomes.length} requests`,
  );
  assert.deepEqual(outcomes.filter(isFailure), [], `${caller} noticed`);
}

/** @returns how long after `from` the last failure was, in milliseconds */
async function assertBackSoon(caller: string, from: number, to: number): Promise<number> {
  const outcomes = await outcomesBetween(loadLog(caller), { from, to });
  const lastFailure = outcomes.findLast(isFailure);
  const backAfterMs = lastFailure === undefined ? 0 : lastFailure.sentAt + lastFailure.ms - from;
  assert.ok(backAfterMs <= BACK_WITHIN_MS, `${caller} was back only after ${backAfterMs} ms`);
  assert.ok(!isFailure(outcomes.at(-1) ?? assert.fail(`${caller} sent nothing`)));
  return backAfterMs;
}

async function killAndWatch(title: string): Promise<{ from: number; to: number }> {
  const { processes } = await mesh.currentState();
  const victim = processes.find((one) => one.title === title) ?? assert.fail(`no ${title}`);
  const from = Date.now();
  process.kill(victim.processId, "SIGKILL");
  await delay(WATCH_MS);
  return { from, to: Date.now() - 500 };
}

for (const title of ["pairs/one-0 sidecar", "pairs/one-0 server"]) {
  test(`kill -9 of ${title}: its pair is back soon, the other does not notice`, async (context) => {
    const { from, to } = await killAndWatch(title);
    await assertUndisturbed("calls-two", from, to);
    context.diagnostic(`back after ${await assertBackSoon("calls-one", from, to)} ms`);
  });
}

test("kill -9 of the control plane: nobody notices, no sidecar restarts, no view flaps", async () => {
  const sidecarsBefore = await sidecarProcesses();
  const { from, to } = await killAndWatch("control plane");
  await assertUndisturbed("calls-one", from, to);
  await assertUndisturbed("calls-two", from, to);
  assert.deepEqual(await sidecarProcesses(), sidecarsBefore);
  const state = await mesh.currentState();
  assert.ok(state.processes.some(({ title }) => title === "control plane"));
});

async function sidecarProcesses(): Promise<readonly number[]> {
  const { processes } = await mesh.currentState();
  return processes.filter(({ title }) => title.endsWith(" sidecar")).map((one) => one.processId);
}

const DENY = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-calls-one, namespace: pairs}
spec:
  selector: {matchLabels: {app: one}}
  action: DENY
  rules: [{from: [{source: {principals: ["cluster.local/ns/pairs/sa/calls-one"]}}]}]
`;

test("a DENY put into the folder binds open connections within 1 s, and is gone within 1 s of its removal", async () => {
  const put = Date.now();
  await writeFile(join(files, "deny.yaml"), DENY);
  await delay(3_000);
  const removed = Date.now();
  await rm(join(files, "deny.yaml"));
  await delay(3_000);
  const end = Date.now() - 500;
  const whileThere = await outcomesBetween(loadLog("calls-one"), {
    from: put + 1_000,
    to: removed,
  });
  assert.ok(whileThere.length > LEAST_PER_SECOND);
  assert.ok(whileThere.some(({ kept }) => kept));
  assert.deepEqual(
    whileThere.filter(({ status }) => status !== 403),
    [],
  );
  await assertUndisturbed("calls-one", removed + 1_000, end);
  await assertUndisturbed("calls-two", put, end);
});

test("a change that cannot be started is refused, and a comment replaces nothing", async () => {
  const yaml = await readFile(join(files, "mesh.yaml"), "utf8");
  const before = await mesh.currentState();
  const from = Date.now();
  await writeFile(
    join(files, "mesh.yaml"),
    yaml
      .replaceAll('"server.js"', '"server.js", "-x"')
      .replaceAll('command: ["node"', 'command: ["no-such-program"'),
  );
  await delay(2_000);
  await writeFile(join(files, "mesh.yaml"), `# one more line\n${yaml}`);
  await delay(2_000);
  await assertUndisturbed("calls-one", from, Date.now() - 500);
  await assertUndisturbed("calls-two", from, Date.now() - 500);
  assert.deepEqual((await mesh.currentState()).processes, before.processes);
});

test("kill -9 of up: the pairs keep serving, and the next up brings all back", async (context) => {
  const from = Date.now();
  process.kill(mesh.state.supervisor.processId, "SIGKILL");
  await delay(3_000);
  const stillServing = Date.now() - 500;
  await assertUndisturbed("calls-one", from, stillServing);
  await assertUndisturbed("calls-two", from, stillServing);
  const startedAt = Date.now();
  mesh = await runMesh([files], mesh.data);
  context.diagnostic(`up again after ${Date.now() - startedAt} ms`);
  const up = Date.now();
  await delay(BACK_WITHIN_MS + 2_000);
  for (const caller of ["calls-one", "calls-two"]) {
    await assertUndisturbed(caller, up + BACK_WITHIN_MS, Date.now() - 500);
  }
  const leftBehind = mesh.state.processes.map(({ processId }) => processId);
  assert.equal(new Set(leftBehind).size, leftBehind.length);
});
