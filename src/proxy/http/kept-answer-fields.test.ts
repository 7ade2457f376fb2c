import assert from "node:assert/strict";
import { test } from "node:test";
import { heldFields } from "../../../test/kit/recorded-answer.ts";
import { HoldingLimit } from "./holding-limit.ts";
import { KeptAnswerFields } from "./kept-answer-fields.ts";

const LARGE = { "x-large": "y".repeat(60_000) };
const NOBODY = { giveUp: () => assert.fail("there is room") };

test("large fields count with all that is held until they are released; small ones do not", () => {
  const limit = new HoldingLimit(1_048_576);
  const kept = new KeptAnswerFields(heldFields(LARGE), NOBODY, limit);
  assert.equal(kept.fields.count, 1);
  assert.ok(limit.octets >= 60_000, String(limit.octets));
  const usual = heldFields({ "content-type": "text/plain", server: "a" });
  const small = new KeptAnswerFields(usual, NOBODY, limit);
  const before = limit.octets;
  small.release();
  assert.equal(limit.octets, before);
  kept.release();
  assert.equal(limit.octets, 0);
});

test("when all hold too much, the request whose answer has been kept for longest ends", () => {
  const limit = new HoldingLimit(150_000);
  const given: string[] = [];
  // As with requests: who must end hears of it at once, and releases the fields later in the turn.
  const keep = (name: string): KeptAnswerFields =>
    new KeptAnswerFields(heldFields(LARGE), { giveUp: () => given.push(name) }, limit);
  const kept = ["first", "second", "third", "fourth"].map(keep);
  limit.endOfTurn();
  assert.deepEqual(given, ["first", "second"]);
  assert.ok(limit.octets <= 150_000);
  for (const one of kept) one.release();
  assert.equal(limit.octets, 0);
});
