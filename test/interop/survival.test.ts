/** Kills each part of a mesh under load: who does not touch it must not notice, who does must be back within 3 s. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { BACK_WITHIN_MS, WatchedPairs } from "../kit/watched-pairs.ts";

let pairs: WatchedPairs;

before(async () => {
  pairs = await WatchedPairs.start();
});
after(() => pairs?.remove());

for (const title of ["pairs/one-0 sidecar", "pairs/one-0 server"]) {
  test(`kill -9 of ${title}: its pair is back soon, the other does not notice`, async (context) => {
    const span = await pairs.killAndWatch(await pairs.processOf(title));
    await pairs.assertUndisturbed("calls-two", span);
    context.diagnostic(`back after ${await pairs.assertBackSoon("calls-one", span)} ms`);
  });
}

test("kill -9 of the control plane: nobody notices, no sidecar restarts, no view flaps", async () => {
  const sidecarsBefore = await pairs.sidecarProcesses();
  const span = await pairs.killAndWatch(await pairs.processOf("control plane"));
  await pairs.assertUndisturbed("calls-one", span);
  await pairs.assertUndisturbed("calls-two", span);
  assert.deepEqual(await pairs.sidecarProcesses(), sidecarsBefore);
  await pairs.processOf("control plane");
});

test("a DENY put into the folder binds open connections within 1 s, and is gone within 1 s of its removal", () =>
  pairs.assertDenyBinds());

test("a change that cannot be started is refused, and a comment replaces nothing", async () => {
  const yaml = await readFile(join(pairs.files, "mesh.yaml"), "utf8");
  const before = await pairs.mesh.currentState();
  const from = Date.now();
  await writeFile(
    join(pairs.files, "mesh.yaml"),
    yaml
      .replaceAll('"server.js"', '"server.js", "-x"')
      .replaceAll('command: ["node"', 'command: ["no-such-program"'),
  );
  await delay(2_000);
  await writeFile(join(pairs.files, "mesh.yaml"), `# one more line\n${yaml}`);
  await delay(2_000);
  await pairs.assertUndisturbed("calls-one", { from: from, to: Date.now() - 500 });
  await pairs.assertUndisturbed("calls-two", { from: from, to: Date.now() - 500 });
  assert.deepEqual((await pairs.mesh.currentState()).processes, before.processes);
});

test("kill -9 of up: the pairs keep serving, and the next up brings all back", async (context) => {
  const from = Date.now();
  process.kill(pairs.mesh.state.supervisor.processId, "SIGKILL");
  await delay(3_000);
  const stillServing = Date.now() - 500;
  await pairs.assertUndisturbed("calls-one", { from: from, to: stillServing });
  await pairs.assertUndisturbed("calls-two", { from: from, to: stillServing });
  const startedAt = Date.now();
  await pairs.upAgain();
  context.diagnostic(`up again after ${Date.now() - startedAt} ms`);
  const up = Date.now();
  await delay(BACK_WITHIN_MS + 2_000);
  for (const caller of ["calls-one", "calls-two"]) {
    await pairs.assertUndisturbed(caller, { from: up + BACK_WITHIN_MS, to: Date.now() - 500 });
  }
  const leftBehind = pairs.mesh.state.processes.map(({ processId }) => processId);
  assert.equal(new Set(leftBehind).size, leftBehind.length);
});
