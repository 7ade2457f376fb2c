/**
 * Random sequences of creates, updates, patches and applies by several managers leave the objects, and their
 * managedFields, that a real kube-apiserver left (test/interop/kubernetes/record.ts).
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import {
  comparableObject,
  digestOf,
  type RecordedSequence,
} from "../../../../test/kit/kubernetes/comparable-object.ts";
import {
  operationSequence,
  SEQUENCES,
} from "../../../../test/kit/kubernetes/operation-sequences.ts";
import { playedSequence } from "../../../../test/kit/kubernetes/played-sequence.ts";

const recorded = JSON.parse(
  readFileSync("test/goldens/kubernetes/sequences.json", "utf8"),
) as RecordedSequence[];

test("there is a recording of every sequence", () => assert.equal(recorded.length, SEQUENCES));

describe("objects are as a kube-apiserver leaves them", () => {
  for (const { seed, steps, object } of recorded) {
    const sequence = operationSequence(seed);
    test(`${sequence.kind.kind}, seed ${seed}`, () => {
      let last: unknown = null;
      let index = 0;
      for (const played of playedSequence(sequence, steps)) {
        const expected = steps[index];
        const what = `step ${index} of ${JSON.stringify(sequence.operations[index])}`;
        const message = expected?.status === 409 ? expected.refusal?.["message"] : undefined;
        assert.equal(played.refusal?.message, message, what);
        const found = played.object === undefined ? null : comparableObject(played.object);
        if (index === steps.length - 1) assert.deepEqual(found, object, what);
        assert.equal(found === null ? undefined : digestOf(found), expected?.digest, what);
        if (expected?.status !== 422)
          assert.equal(played.unchanged, expected?.unchanged === true, what);
        last = found;
        index += 1;
      }
      assert.equal(index, steps.length);
      assert.deepEqual(last, object);
    });
  }
});
