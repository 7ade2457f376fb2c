import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ClientQuota } from "./client-quota.ts";

test("law: nobody holds more than his share, nor all together more than there is, and nothing is lost", () => {
  const client = fc.constantFrom("a", "b", "c");
  const step = fc.record({ client, what: fc.constantFrom("take" as const, "give" as const) });
  const [perClient, inAll] = [3, 5];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const quota = new ClientQuota({ perClient, inAll });
      const held = new Map<string, number>();
      const heldInAll = (): number => [...held.values()].reduce((sum, count) => sum + count, 0);
      for (const { client, what } of steps) {
        const own = held.get(client) ?? 0;
        if (what === "take") {
          const free = own < perClient && heldInAll() < inAll;
          assert.equal(quota.take(client), free ? "granted" : "spent");
          if (free) held.set(client, own + 1);
        } else {
          quota.giveBack(client);
          held.set(client, Math.max(0, own - 1));
        }
      }
    }),
  );
});
