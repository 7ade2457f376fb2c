/** Counters follow the mesh configuration. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import type { RateLimitSettings } from "../api/rate-limit-settings.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { type Count, CountersAwayError } from "./counters.ts";
import { openCounters } from "./open-counters.ts";

const COUNT: Count = {
  ...{ limit: "shop/checkout/all", key: "", rate: 1 / 60_000, burst: 1 },
  ...{ identity: "", fair: false, hits: 1, advance: "unwelcome" },
};
/** Where nobody listens. */
const NOWHERE = { host: "127.0.0.1", port: 1, database: 0 };

test("in memory, until a Redis is named, and again when it is not; what says the same changes nothing", async (context) => {
  const settings = new WatchedValue<RateLimitSettings>({});
  const log = recordedLog();
  const counters = openCounters({ settings, domain: "cluster.local", log });
  context.after(() => counters.close());
  const granted = async (): Promise<number> => (await counters.take(COUNT)).granted;
  assert.deepEqual([await granted(), await granted()], [1, 0]);
  settings.set({});
  assert.equal(await granted(), 0);
  settings.set({ redis: NOWHERE });
  await assert.rejects(granted(), CountersAwayError);
  settings.set({ redis: { ...NOWHERE } });
  settings.set({});
  assert.deepEqual([await granted(), await granted()], [1, 0]);
  assert.deepEqual(
    log.find("global rate limits are counted").map(({ message }) => message.split(" ")[6]),
    ["Redis", "memory"],
  );
});
