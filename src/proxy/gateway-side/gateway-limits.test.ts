/** Rate limits at a gateway: the same steps as at any other inbound side. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { appliedRateLimit } from "../../../test/kit/applied-rate-limit.ts";
import { edgeStage, httpServer } from "../../../test/kit/edge-stage.ts";
import { policy } from "../../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../../test/kit/sidecar-ground.ts";

const ground = sidecarGround();
const host = "shop.example.com";
const perHour = { perMs: 3_600_000, amount: 2 } as const;

test("a gateway limits what comes from outside, by the client's address, before it goes anywhere", async () => {
  const { ask, reached } = await edgeStage(ground, [httpServer("*", undefined)], {
    topology: { trustedProxies: 1 },
    policies: [policy("DENY", "admin", { to: [{ paths: ["/admin"] }] })],
    rateLimits: [appliedRateLimit({ ...perHour, key: ["remote.ip"], headers: "Always" })],
  });
  const from = async (address: string, path = "/"): Promise<number> =>
    (await ask({ host, path, headers: { "x-forwarded-for": `192.0.2.1, ${address}` } })).status;
  for (let time = 0; time < 3; time++) assert.equal(await from("203.0.113.7", "/admin"), 403);
  const statuses = [];
  for (let time = 0; time < 4; time++) statuses.push(await from("203.0.113.7"));
  assert.deepEqual(statuses, [200, 200, 429, 429]);
  const other = await ask({ host, headers: { "x-forwarded-for": "203.0.113.8" } });
  assert.deepEqual([other.status, other.headers["ratelimit"]], [200, '"all";r=1;t=1800']);
  assert.equal(reached.length, 3);
});

test("a gateway closes connections over a limit", async () => {
  const { ask, gateway } = await edgeStage(ground, [httpServer("*", undefined)], {
    rateLimits: [appliedRateLimit({ ...perHour, counts: "connections" })],
  });
  assert.equal((await ask({ host })).status, 200);
  assert.equal((await ask({ host })).status, 200);
  await assert.rejects(ask({ host }));
  const entry = await gateway.entry(({ response_flags }) => response_flags === "RL");
  assert.equal(entry.decision?.reason.because, "rate-limited");
});
