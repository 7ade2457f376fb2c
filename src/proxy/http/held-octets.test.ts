import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeldOctets, type PieceMemory } from "./held-octets.ts";
import { type Holder, HoldingLimit } from "./holding-limit.ts";

const NOBODY: Holder = { giveUp: () => assert.fail("there was room") };

function octetsOf(seed: number, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (seed * 31 + at * 7) % 251));
}

test("law: what two hold of one pool stays each one's own, in order, and is accounted for until it is dropped", () => {
  const length = fc.oneof(
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 0, max: 3_000 }),
    fc.integer({ min: 0, max: 70_000 }),
  );
  const event = fc.record({
    whose: fc.nat(1),
    what: fc.constantFrom("append", "append", "drop", "clear"),
    length,
    seed: fc.nat(250),
  });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 25 }),
      fc.constantFrom<PieceMemory>("lent", "own"),
      (events, memoryOf) => {
        const limit = new HoldingLimit(100_000_000);
        const both = [0, 1].map(() => ({
          held: new HeldOctets(NOBODY, limit, memoryOf),
          model: Buffer.alloc(0),
        }));
        for (const { whose, what, length: octets, seed } of events) {
          const one = both[whose];
          if (one === undefined) continue;
          if (what === "append") {
            const bytes = octetsOf(seed, octets + 2);
            one.held.append(bytes, 1, octets + 1);
            one.model = Buffer.concat([one.model, bytes.subarray(1, octets + 1)]);
          } else if (what === "clear") {
            one.held.clear();
            one.model = Buffer.alloc(0);
          } else {
            const { from, to } = one.held.first ?? { from: 0, to: 0 };
            const taken = Math.min(octets, to - from);
            one.held.drop(taken);
            one.model = one.model.subarray(taken);
          }
          for (const { held, model } of both) {
            assert.ok(Buffer.concat(held.views()).equals(model));
            assert.equal(held.isEmpty, model.length === 0);
          }
          assert.equal(
            both.reduce((sum, { held }) => sum + held.memory, 0),
            limit.octets,
          );
        }
        for (const { held } of both) held.clear();
        assert.equal(limit.octets, 0);
      },
    ),
  );
});

test("single octets are put together: what is held is never more than eight times as much memory, beyond the least", () => {
  const held = new HeldOctets(NOBODY, new HoldingLimit(1_000_000), "lent");
  const octet = Buffer.from("x");
  for (let count = 1; count <= 50_000; count++) {
    held.append(octet, 0, 1);
    assert.ok(held.memory <= Math.max(256, 8 * count), `${count}: ${held.memory}`);
  }
});

test("memory of one's own stays as it is when it is dropped, whatever is held afterwards", () => {
  const held = new HeldOctets(NOBODY, new HoldingLimit(1_000_000), "own");
  held.append(octetsOf(1, 5_000), 0, 5_000);
  const views = held.views();
  held.clear();
  held.append(octetsOf(2, 5_000), 0, 5_000);
  assert.ok(Buffer.concat(views).equals(octetsOf(1, 5_000)));
});
