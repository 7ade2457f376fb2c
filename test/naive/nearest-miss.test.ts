/** A refusal names what would have to be different: a few changes of every kind; `test/soak/nearest-miss.ts` has many. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Dice } from "../kit/dice.ts";
import { countNearestMisses, type Unnamed } from "./nearest-miss.ts";

const OF_EACH = 3;

test("the condition that one changed fact fails is told first (AP-45..AP-98)", () => {
  const unnamed: Unnamed[] = [];
  const onUnnamed = (one: Unnamed): void => {
    unnamed.push(one);
  };
  const counts = countNearestMisses(new Dice(1), { ofEach: OF_EACH, onUnnamed });
  assert.ok(counts.length > 60);
  const asked = counts.length * OF_EACH;
  const lines = unnamed.map(({ miss, told }) => `${miss.field} was changed, told was ${told}`);
  assert.ok(unnamed.length <= asked / 100, `${lines.length} of ${asked}:\n${lines.join("\n")}`);
});
