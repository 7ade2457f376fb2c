import assert from "node:assert/strict";
import { test } from "node:test";
import { askInTime } from "./ask-in-time.ts";
import { LATE, type Outcome } from "./question.ts";

const IN: Outcome = { verdict: "allowed", seen: "200" };
const OUT: Outcome = { verdict: "denied", seen: "403" };
const SLOW: Outcome = { verdict: "denied", seen: LATE };

/** What two calls of one set come to, try by try. */
const rows: readonly {
  readonly name: string;
  readonly tries: readonly (readonly [Outcome, Outcome])[];
  readonly told: readonly [Outcome, Outcome];
}[] = [
  { name: "nobody is late", tries: [[IN, OUT]], told: [IN, OUT] },
  {
    name: "who got in once got in, though others were late",
    tries: [
      [IN, SLOW],
      [OUT, OUT],
    ],
    told: [IN, OUT],
  },
  {
    name: "who got in later got in",
    tries: [
      [OUT, SLOW],
      [IN, OUT],
    ],
    told: [IN, OUT],
  },
  {
    name: "who was late is told by the try that was not",
    tries: [
      [SLOW, SLOW],
      [OUT, SLOW],
      [SLOW, IN],
    ],
    told: [OUT, IN],
  },
  {
    name: "each in time once, never together",
    tries: [
      [SLOW, OUT],
      [OUT, SLOW],
    ],
    told: [OUT, OUT],
  },
  {
    name: "late every time",
    tries: [
      [SLOW, IN],
      [SLOW, OUT],
      [SLOW, OUT],
    ],
    told: [SLOW, IN],
  },
];

for (const { name, tries, told } of rows) {
  test(`calls that are late are made again: ${name}`, async () => {
    const left = [...tries];
    const asked: (readonly string[])[] = [];
    const outcomes = await askInTime(["punctual", "set"], async (batch) => {
      asked.push(batch);
      const next = left.shift();
      assert.ok(next, "one try too many");
      return batch.map((one) => (one === "set" ? next : [IN]));
    });
    assert.deepEqual(outcomes, [[IN], told]);
    assert.deepEqual(asked, [["punctual", "set"], ...tries.slice(1).map(() => ["set"])]);
  });
}
