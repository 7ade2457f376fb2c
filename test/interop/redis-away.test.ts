/** Redis killed under four sidecars: each limit does what it says then, and counts again when Redis is back. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { MeshStatus } from "../../src/local/mesh-status.ts";
import { freePort } from "../kit/free-port.ts";
import { runHauberk } from "../kit/hauberk-command.ts";
import { type LimitedMesh, PLACES, startLimitedMesh } from "../kit/limited-mesh.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RedisServer, redisServer } from "../kit/redis-server.ts";
import { until } from "../kit/until.ts";

const LIMITS = ["Deny", "Allow", "Local"].map(
  (choice) =>
    `{name: ${choice.toLowerCase()}, match: [{to: [{operation: {paths: [/${choice}]}}]}], requests: 10, per: 1m, scope: Global, whenUnavailable: ${choice}}`,
);

describe("Redis away", { skip: missingParts("redis-server", "redis-cli") }, () => {
  let redis: RedisServer;
  let limited: LimitedMesh;

  before(
    async () => {
      redis = redisServer(await freePort());
      await redis.start();
      limited = await startLimitedMesh(redis.port, LIMITS);
      for (let place = 0; place < PLACES; place++)
        await until(
          "an answer",
          async () => (await limited.call("ann", { place, path: "/" })) === 200,
        );
    },
    { timeout: 60_000 },
  );
  after(async () => {
    await limited?.stop();
    await redis?.kill();
  });

  /** Of so many calls, at one sidecar after the other, how often each status is answered. */
  async function statuses(path: string, calls: number): Promise<Readonly<Record<string, number>>> {
    const found: Record<string, number> = {};
    for (let one = 0; one < calls; one++) {
      const status = await limited.call("ann", { place: one % PLACES, path });
      found[status] = (found[status] ?? 0) + 1;
    }
    return found;
  }

  test("counted in Redis, 10 pass of each", async () => {
    for (const path of ["/Deny", "/Allow", "/Local"])
      assert.deepEqual(await statuses(path, 16), { 200: 10, 429: 6 }, path);
  });

  test("without Redis: refused, let through, or counted by each sidecar", async () => {
    await redis.kill();
    await delay(1_500); // what was refused is refused for a second at most before it is asked anew
    await until("the loss to be seen", async () => (await statuses("/Deny", 4))["503"] === 4);
    assert.deepEqual(await statuses("/Deny", 40), { 503: 40 });
    assert.deepEqual(await statuses("/Allow", 60), { 200: 60 });
    const local = await statuses("/Local", 80);
    assert.ok((local["200"] ?? 0) >= 36 && (local["200"] ?? 0) <= 44, JSON.stringify(local));
    assert.equal((local["200"] ?? 0) + (local["429"] ?? 0), 80);
  });

  test("with Redis again, which has forgotten, all is as at first within two seconds", async () => {
    await redis.start();
    const startedAt = performance.now();
    await until("Redis to count", async () => (await statuses("/Deny", 1))["200"] === 1);
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 2_000, `${tookMs} ms`);
    await until(
      "all sidecars to know",
      async () => (await statuses("/Deny", 4))["503"] === undefined,
    );
    const { 200: passed = 0, 429: refused = 0 } = await statuses("/Deny", 24);
    assert.ok(passed <= 9 && refused >= 15, `${passed} ${refused}`);
  });

  test("a control plane that stands still, and is killed: the same, until another one counts on in Redis", async () => {
    const { output } = await runHauberk(["status", "--json", "--data", limited.mesh.data]);
    const { controlPlane }: MeshStatus = JSON.parse(output);
    const processId = controlPlane.processId ?? assert.fail("it does not run");
    process.kill(processId, "SIGSTOP");
    try {
      await until("the loss to be seen", async () => (await statuses("/Deny", 4))["503"] === 4);
      await statuses("/Deny", 12); // three late answers make an outage
      const startedAt = performance.now();
      assert.deepEqual(await statuses("/Allow", 60), { 200: 60 });
      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs < 1_500, `nobody waits for it: ${tookMs} ms`);
    } finally {
      process.kill(processId, "SIGKILL");
    }
    await until("it to count", async () => (await statuses("/Deny", 4))["429"] === 4);
  });
});
