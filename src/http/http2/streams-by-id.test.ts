import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StreamsById } from "./streams-by-id.ts";

test("law: it holds what a Map holds, in the order of ids, whatever comes and goes", () => {
  const id = fc.oneof(
    fc.nat(40),
    fc.nat(2 ** 31 - 1),
    fc.nat(30).map((n) => 1 + 64 * n),
  );
  const step = fc.oneof(fc.record({ set: id }), fc.record({ drop: id }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const streams = new StreamsById<string>();
      const model = new Map<number, string>();
      for (const [index, one] of steps.entries()) {
        if ("set" in one) {
          streams.set(one.set, `${index}`);
          model.set(one.set, `${index}`);
        } else {
          streams.delete(one.drop);
          model.delete(one.drop);
        }
        const asked = "set" in one ? one.set : one.drop;
        assert.equal(streams.get(asked), model.get(asked));
        assert.equal(streams.size, model.size);
      }
      for (const [key, value] of model) assert.equal(streams.get(key), value);
      const inOrder = [...model].sort(([one], [other]) => one - other).map(([, value]) => value);
      assert.deepEqual([...streams.values()], inOrder);
    }),
    { numRuns: 300 },
  );
});

test("one that is long-lived is found among all that come and go after it", () => {
  const streams = new StreamsById<number>();
  streams.set(5, 5);
  for (let id = 7; id < 20_001; id += 2) {
    streams.set(id, id);
    if (id > 27) streams.delete(id - 20);
    assert.equal(streams.get(5), 5);
  }
  assert.equal(streams.size, 12);
});

test("who is deleted while others are looked at is not seen", () => {
  const streams = new StreamsById<number>();
  for (const id of [1, 3, 5]) streams.set(id, id);
  const seen: number[] = [];
  for (const one of streams.values()) {
    seen.push(one);
    streams.delete(3);
  }
  assert.deepEqual(seen, [1, 5]);
});
