/** The same mesh on Envoy: each part is killed under load, Envoy and its agent one by one. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { askSidecar } from "../../src/local/pods/ask-sidecar.ts";
import { withDescendants } from "../../src/local/processes/descendants.ts";
import { findOrFetchEnvoy } from "../kit/envoy-program.ts";
import { eventually } from "../kit/eventually.ts";
import { BACK_WITHIN_MS, WatchedPairs } from "../kit/watched-pairs.ts";

const AGENT = "pairs/one-0 sidecar";

let pairs: WatchedPairs;

before(async () => {
  pairs = await WatchedPairs.start(["--proxy", "envoy", "--envoy", findOrFetchEnvoy().path]);
});
after(() => pairs?.remove());

/** The Envoy of an agent. */
async function envoyOf(title: string): Promise<number> {
  const all = await withDescendants(await pairs.processOf(title));
  const isEnvoy = (id: number): boolean =>
    readFileSync(`/proc/${id}/comm`, "utf8").trim() === "envoy";
  return all.find(isEnvoy) ?? assert.fail(`${title} has no Envoy`);
}

/** What Envoy counts of changes to what it was told. */
async function changesOf(pod: string): Promise<readonly string[]> {
  const socket = join(pairs.mesh.data, "pods/pairs", pod, "admin", "admin.sock");
  const stats = await askSidecar(socket, { path: "/stats" });
  return stats
    .split("\n")
    .filter((line) =>
      /^envoy_(?:listener_manager_listener|cluster_manager_cluster)_(?:added|modified|removed)/.test(
        line,
      ),
    );
}

for (const [what, victim] of [
  ["Envoy", () => envoyOf(AGENT)],
  ["its agent", () => pairs.processOf(AGENT)],
  ["the program behind it", () => pairs.processOf("pairs/one-0 server")],
] as const) {
  test(`kill -9 of ${what}: its pair is back soon, the other does not notice`, async (context) => {
    const span = await pairs.killAndWatch(await victim());
    await pairs.assertUndisturbed("calls-two", span);
    context.diagnostic(`back after ${await pairs.assertBackSoon("calls-one", span)} ms`);
    await envoyOf(AGENT);
  });
}

test("kill -9 of the control plane: nobody notices, no Envoy restarts, nothing is told anew", async () => {
  const agents = await pairs.sidecarProcesses();
  const before = await eventually("what Envoy counts", () =>
    changesOf("one-0").catch(() => undefined),
  );
  assert.ok(before.length > 4);
  const span = await pairs.killAndWatch(await pairs.processOf("control plane"));
  await pairs.assertUndisturbed("calls-one", span);
  await pairs.assertUndisturbed("calls-two", span);
  assert.deepEqual(await pairs.sidecarProcesses(), agents);
  assert.deepEqual(await changesOf("one-0"), before);
});

test("a DENY put into the folder binds open connections within 1 s, and is gone within 1 s of its removal", () =>
  pairs.assertDenyBinds());

test("kill -9 of up: the pairs keep serving, and the next up brings all back", async (context) => {
  const from = Date.now();
  process.kill(pairs.mesh.state.supervisor.processId, "SIGKILL");
  await delay(3_000);
  const meanwhile = { from, to: Date.now() - 500 };
  await pairs.assertUndisturbed("calls-one", meanwhile);
  await pairs.assertUndisturbed("calls-two", meanwhile);
  const startedAt = Date.now();
  await pairs.upAgain();
  context.diagnostic(`up again after ${Date.now() - startedAt} ms`);
  const up = Date.now();
  await delay(BACK_WITHIN_MS + 2_000);
  const span = { from: up + BACK_WITHIN_MS, to: Date.now() - 500 };
  for (const caller of ["calls-one", "calls-two"]) await pairs.assertUndisturbed(caller, span);
});
