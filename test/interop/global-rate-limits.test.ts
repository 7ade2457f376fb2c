/** Global limits over four sidecars, counted in a real Redis, for 30 seconds: how many pass, and who. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../kit/free-port.ts";
import { type LimitedMesh, PLACES, startLimitedMesh } from "../kit/limited-mesh.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RedisServer, redisServer } from "../kit/redis-server.ts";
import { until } from "../kit/until.ts";

const RUN_MS = 30_000;
const SHARE = 5;
/** In a second. */
const LOADS = [
  { account: "anybody", path: "/all", perSecond: 160 },
  { account: "greedy", path: "/fair", perSecond: 20 * SHARE },
  { account: "ann", path: "/fair", perSecond: SHARE },
  { account: "bob", path: "/fair", perSecond: SHARE },
  { account: "cy", path: "/fair", perSecond: SHARE },
];
const LIMITS = [
  "{name: all, match: [{to: [{operation: {paths: [/all]}}]}], requests: 100, per: 1s, scope: Global, whenUnavailable: Deny}",
  `{name: fair, match: [{to: [{operation: {paths: [/fair]}}]}], requests: ${4 * SHARE}, per: 1s, fair: true, scope: Global, whenUnavailable: Deny}`,
];

type Statuses = ReadonlyMap<number, number>;

describe("global limits", { skip: missingParts("redis-server", "redis-cli") }, () => {
  let redis: RedisServer;
  let limited: LimitedMesh;
  const outcomes = new Map<string, Statuses>();

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
      await delay(100);
      const runs = LOADS.map(async (load) => outcomes.set(load.account, await run(load)));
      await Promise.all(runs);
    },
    { timeout: 60_000 },
  );
  after(async () => {
    await limited?.stop();
    await redis?.kill();
  });

  /** In steady steps, at one sidecar after the other, whatever is answered. */
  async function run({ account, path, perSecond }: (typeof LOADS)[number]): Promise<Statuses> {
    const statuses = new Map<number, number>();
    const calls: Promise<void>[] = [];
    const startedAt = performance.now();
    for (let one = 0; one < (perSecond * RUN_MS) / 1_000; one++) {
      const dueIn = startedAt + (one * 1_000) / perSecond - performance.now();
      if (dueIn > 0) await delay(dueIn);
      const call = limited.call(account, { place: one % PLACES, path });
      calls.push(call.then((status) => void statuses.set(status, (statuses.get(status) ?? 0) + 1)));
    }
    await Promise.all(calls);
    return statuses;
  }

  const told = (): string => JSON.stringify([...outcomes].map(([who, found]) => [who, [...found]]));

  test("of 100 a second 2,850 to 3,150 pass in 30 s, of 4,800 that come", (context) => {
    context.diagnostic(told());
    const passed = outcomes.get("anybody")?.get(200) ?? 0;
    assert.ok(passed >= 2_850 && passed <= 3_150, told());
    const refused = outcomes.get("anybody")?.get(429) ?? 0;
    assert.ok(passed + refused >= 0.99 * 4_800, `hardly an answer is late: ${told()}`);
  });

  test("beside one greedy identity at 20 times its share the others have at least 95 % of theirs", () => {
    for (const account of ["ann", "bob", "cy"]) {
      const passed = outcomes.get(account)?.get(200) ?? 0;
      assert.ok(passed >= (0.95 * SHARE * RUN_MS) / 1_000, told());
    }
    const greedy = outcomes.get("greedy")?.get(200) ?? 0;
    assert.ok(greedy >= (0.95 * SHARE * RUN_MS) / 1_000, told());
    const all = [...outcomes].filter(([account]) => account !== "anybody");
    const passed = all.reduce((sum, [, statuses]) => sum + (statuses.get(200) ?? 0), 0);
    assert.ok(passed <= 1.05 * 4 * SHARE * (RUN_MS / 1_000), told());
  });

  test("Redis knows two counters, and nobody's name", () => {
    assert.deepEqual(redis.ask("keys", "*").split("\n").sort(), [
      "hauberk:limit:cluster.local:shop/cart/all:",
      "hauberk:limit:cluster.local:shop/cart/fair:",
    ]);
    assert.ok(!redis.ask("get", "hauberk:limit:cluster.local:shop/cart/fair:").includes("greedy"));
  });
});
