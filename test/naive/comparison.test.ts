/** The engine means what the specification says: the short run; `npm run test:policy` is the long one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { askEngine, askInterpreter, compare, type Dispute } from "./comparison.ts";
import { Coverage } from "./coverage.ts";
import { printDispute } from "./print-dispute.ts";
import { shrink } from "./shrink.ts";

const SEEDS = [1, 2, 3, 4];
const PAIRS = 2_000;
const coverage = new Coverage();

for (const seed of SEEDS) {
  test(`engine and interpreter agree on ${PAIRS} questions of seed ${seed}`, () => {
    const disputes: Dispute[] = [];
    const onDispute = (dispute: Dispute): void => {
      disputes.push(dispute);
    };
    compare({ pairs: PAIRS, seed, coverage, onDispute });
    const [first] = disputes;
    if (first === undefined) return;
    assert.fail(
      `${disputes.length} disagreements; the first:\n${printDispute(shrink(first, differ))}`,
    );
  });
}

function differ(dispute: Dispute): boolean {
  return !isDeepStrictEqual(askEngine(dispute), askInterpreter(dispute));
}

test("the questions reach every outcome on both protocols, and every field holds and fails", () => {
  const verdicts = ["allow matched-allow", "allow no-allow-policy", "deny matched-deny"];
  const outcomes = [...verdicts, "deny no-allow-matched", "delegate matched-custom", "audited"];
  for (const outcome of outcomes.flatMap((one) => [`http ${one}`, `tcp ${one}`])) {
    assert.ok((coverage.outcomes.get(outcome) ?? 0) > 100, outcome);
  }
  for (const [field, { asked, held, untranslatable }] of coverage.fields) {
    if (/experimental|X\[|color/.test(field)) continue;
    assert.ok(held > 0 && held + untranslatable < asked, field);
  }
  assert.ok(coverage.fields.size > 60);
});
