/** What is told of global limits to who only looks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { globalRateLimit } from "../../test/kit/global-rate-limit.ts";
import { sampleView } from "../../test/kit/sample-view.ts";
import type { AppliedRateLimit } from "../policy/applied-rate-limits.ts";
import { type GlobalCounter, hashedEntry } from "../policy/global-limit-descriptor.ts";
import type { WorkloadViews } from "./concerned-limits.ts";
import type { Count } from "./counters.ts";
import { countersLeft } from "./counters-left.ts";
import { MemoryCounters } from "./memory-counters.ts";

const ID = "spiffe://cluster.local/ns/shop/sa/api";

function viewsWith(...rateLimits: readonly AppliedRateLimit[]): WorkloadViews {
  const view = sampleView({ name: "shop/api-0", identity: ID, rootPem: "" });
  return new Map([["shop/api-0", { ...view, inbound: { ...view.inbound, rateLimits } }]]);
}

const counter = (changes: Partial<GlobalCounter> = {}): GlobalCounter => ({
  ...{ limit: "shop/checkout/all", key: "", identity: "" },
  ...changes,
});

/** As the service counts what a sidecar asks about. */
const count = (limit: AppliedRateLimit, changes: Partial<Count> = {}): Count => ({
  ...{ limit: "shop/checkout/all", key: "", identity: "", hits: 1, advance: "unwelcome" },
  ...{ rate: limit.amount / limit.perMs, burst: limit.burst, fair: limit.fair },
  ...changes,
});

test("each bucket is told apart, by the names that sidecars give it", async () => {
  const counters = new MemoryCounters(() => 0);
  const limit = globalRateLimit({ amount: 2, burst: 2, key: ["request.headers[x-user]"] });
  const views = viewsWith(limit);
  const ann = hashedEntry("ann");
  await counters.take(count(limit, { key: hashedEntry(ann), hits: 2 }));
  const left = await countersLeft(
    [
      counter({ key: ann }),
      counter({ key: hashedEntry("bob") }),
      counter({ limit: "shop/checkout/none" }),
    ],
    { views, counters },
  );
  assert.deepEqual(left, [{ left: 0, waitMs: 500 }, { left: 2, waitMs: 0 }, null]);
});

test("of a fair limit each identity hears of its own part, also before it ever asked", async () => {
  const counters = new MemoryCounters(() => 0);
  const limit = globalRateLimit({ amount: 10, burst: 10, fair: true });
  const web = hashedEntry("web");
  await counters.take(count(limit, { identity: hashedEntry(web), hits: 4 }));
  const asked = [counter({ identity: web }), counter({ identity: hashedEntry("new") })];
  const views = viewsWith(limit);
  const left = await countersLeft(asked, { views, counters });
  assert.deepEqual(left, [
    { left: 3, waitMs: 0 },
    { left: 4, waitMs: 0 },
  ]);
});

test("limits that sidecars count, and none, are nobody's here", async () => {
  const views = viewsWith(globalRateLimit({ scope: "Local" }));
  const counters = new MemoryCounters();
  assert.deepEqual(await countersLeft([counter()], { views, counters }), [null]);
});

test("law: whoever looks changes nothing, and sees what would be found", async () => {
  const limit = globalRateLimit({ amount: 10, burst: 10, fair: true });
  const views = viewsWith(limit);
  const steps = fc.array(
    fc.record({
      after: fc.integer({ min: 0, max: 20_000 }),
      who: fc.constantFrom("a", "b", "c"),
      hits: fc.integer({ min: 1, max: 8 }),
      looks: fc.boolean(),
    }),
  );
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      let now = 0;
      const [seen, unseen] = [new MemoryCounters(() => now), new MemoryCounters(() => now)];
      for (const { after, who, hits, looks } of list) {
        now += after;
        const identity = hashedEntry(who);
        const wish = count(limit, { identity: hashedEntry(identity), hits });
        const [told] = looks
          ? await countersLeft([counter({ identity })], { views, counters: seen })
          : [];
        const taken = await seen.take(wish);
        assert.deepEqual(taken, await unseen.take(wish));
        if (told) assert.equal(taken.granted, Math.min(hits, told.left));
      }
    }),
  );
});
