import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isoTime } from "./iso-time.ts";

test("law: an instant reads as a Date's, whichever was read before", () => {
  const near = fc.integer({ min: -1_500, max: 1_500 });
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true }), fc.array(near), (date, distances) => {
      for (const distance of distances) {
        const instant = new Date(date.getTime() + distance);
        if (Number.isNaN(instant.getTime())) continue;
        assert.equal(isoTime(instant.getTime()), instant.toISOString());
      }
    }),
  );
});

test("what is no instant is refused", () => {
  assert.throws(() => isoTime(Number.NaN), RangeError);
});
