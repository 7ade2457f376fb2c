/**
 * Who owns what, where it was thought of beforehand: as a real kube-apiserver says it
 * (test/interop/kubernetes/record.ts).
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { comparableObject } from "../../../../test/kit/kubernetes/comparable-object.ts";
import { playedSequence } from "../../../../test/kit/kubernetes/played-sequence.ts";
import { type RecordedScenario, SCENARIOS } from "../../../../test/kit/kubernetes/scenarios.ts";

const recorded = JSON.parse(
  readFileSync("test/goldens/kubernetes/scenarios.json", "utf8"),
) as RecordedScenario[];

describe("ownership is as a kube-apiserver's", () => {
  test("all is recorded", () => assert.equal(recorded.length, SCENARIOS.length));
  for (const [index, { title, sequence }] of SCENARIOS.entries()) {
    test(title, () => {
      const expected = recorded[index];
      assert.ok(expected !== undefined && expected.title === title);
      const { steps } = expected;
      let next = 0;
      for (const { object, refusal, unchanged } of playedSequence(sequence, steps)) {
        const step = steps[next];
        const what = `step ${next}: ${JSON.stringify(sequence.operations[next])}`;
        assert.equal(
          refusal?.message,
          step?.status === 409 ? step.refusal?.["message"] : undefined,
          what,
        );
        const managedFields = object && comparableObject(object).metadata.managedFields;
        assert.deepEqual(managedFields, step?.managedFields, what);
        assert.equal(unchanged, step?.unchanged === true, what);
        next += 1;
      }
      assert.equal(next, steps.length);
    });
  }
});
