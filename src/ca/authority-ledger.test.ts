import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type AuthorityLedger,
  activeOf,
  firstLedger,
  hasGivenUp,
  keptIds,
  prepareAuthority,
  replaceActive,
  takeStep,
} from "./authority-ledger.ts";
import { InvalidLedgerError, parseLedger, printLedger } from "./authority-ledger-text.ts";
import type { RotationRefusal } from "./rotation.ts";

const at = new Date("2026-03-04T05:06:07Z");
const idOf = (index: number): string => index.toString(16).padStart(16, "0");
const steps = ["activate", "taint", "revoke", "rollback"] as const;
type Step = (typeof steps)[number] | `prepare ${number}`;

function perform(ledger: AuthorityLedger, step: Step): AuthorityLedger | RotationRefusal {
  if (step.startsWith("prepare ")) {
    const id = idOf(Number(step.slice("prepare ".length)));
    return prepareAuthority(ledger, { id, origin: "custom" }, at);
  }
  const plain = steps.find((one) => one === step);
  assert.ok(plain);
  return takeStep(ledger, plain, { at, forced: false });
}

function after(...taken: readonly Step[]): AuthorityLedger {
  let ledger = firstLedger({ id: idOf(0), origin: "self-signed" }, at);
  for (const step of taken) {
    const next = perform(ledger, step);
    assert.ok(!("refused" in next), `${step}: ${JSON.stringify(next)}`);
    ledger = next;
  }
  return ledger;
}

const shape = ({ authorities }: AuthorityLedger): string =>
  authorities.map(({ id, state }) => `${Number.parseInt(id, 16)} ${state}`).join(", ");

const roads: [steps: Step[], result: string][] = [
  [[], "0 active"],
  [["prepare 1"], "0 active, 1 prepared"],
  [["prepare 1", "activate"], "0 retiring, 1 active"],
  [["prepare 1", "activate", "taint"], "0 tainted, 1 active"],
  [["prepare 1", "activate", "taint", "revoke"], "1 active"],
  [["prepare 1", "activate", "revoke"], "1 active"],
  [["prepare 1", "rollback"], "0 active"],
  [["prepare 1", "activate", "rollback"], "0 active, 1 retiring"],
  [["prepare 1", "activate", "taint", "rollback"], "0 active, 1 retiring"],
  [["prepare 1", "activate", "rollback", "taint", "revoke"], "0 active"],
  [["prepare 1", "activate", "rollback", "activate"], "0 retiring, 1 active"],
  [["prepare 1", "activate", "rollback", "taint", "activate"], "0 retiring, 1 active"],
  [["prepare 1", "activate", "rollback", "activate", "rollback"], "0 active, 1 retiring"],
  [["prepare 1", "activate", "prepare 2", "rollback"], "0 retiring, 1 active"],
  [["prepare 1", "activate", "revoke", "prepare 0"], "1 active, 0 prepared"],
];
for (const [taken, result] of roads) {
  test(`${taken.join(", ") || "the first"}: ${result}`, () => {
    const ledger = after(...taken);
    assert.equal(shape(ledger), result);
    assert.equal(ledger.history.length, taken.length);
  });
}

const refusals: [steps: Step[], step: Step, words: RegExp][] = [
  [[], "activate", /^no authority is prepared: prepare one first$/],
  [[], "taint", /^no authority is retiring/],
  [[], "revoke", /^no authority is retiring or tainted/],
  [[], "rollback", /^there is nothing to go back to/],
  [[], "prepare 0", /^authority 0{16} is held already: it is active$/],
  [["prepare 1"], "prepare 1", /is held already: it is prepared/],
  [["prepare 1"], "prepare 2", /^authority 0{15}1 is prepared already/],
  [["prepare 1"], "taint", /^no authority is retiring/],
  [["prepare 1"], "revoke", /^no authority is retiring or tainted/],
  [["prepare 1", "activate"], "activate", /^no authority is prepared/],
  [["prepare 1"], "prepare 1", /it is prepared; `hauberk ca activate` has it sign$/],
  [["prepare 1", "activate"], "prepare 0", /it is retiring; `hauberk ca rollback` has it sign/],
  [
    ["prepare 1", "activate", "rollback"],
    "prepare 1",
    /it is retiring; `hauberk ca activate` has it sign again/,
  ],
  [
    ["prepare 1", "activate", "rollback", "prepare 2"],
    "prepare 1",
    /it is retiring, and 0{15}2 is prepared: roll that back first/,
  ],
  [["prepare 1", "activate", "rollback", "prepare 2"], "activate", /0{15}1 is still retiring/],
  [["prepare 1", "activate", "rollback"], "rollback", /0{15}1 was rolled back already, and 0{16}/],
  [["prepare 1", "activate", "rollback", "taint"], "rollback", /was rolled back already/],
  [
    ["prepare 1", "activate", "prepare 2"],
    "activate",
    /^authority 0{16} is still retiring: revoke/,
  ],
  [["prepare 1", "activate", "taint"], "taint", /is tainted already/],
];
for (const [taken, step, words] of refusals) {
  test(`${step} is refused after ${taken.join(", ") || "the first"}`, () => {
    const outcome = perform(after(...taken), step);
    assert.ok("refused" in outcome);
    assert.match(outcome.refused, words);
  });
}

test("the history says who lost its place in a rollback, and what was forced", () => {
  const rolled = after("prepare 1", "activate", "rollback");
  assert.deepEqual(rolled.history.at(-1), {
    at,
    step: "rollback",
    authority: idOf(1),
    forced: false,
  });
  const forced = takeStep(rolled, "revoke", { at, forced: true });
  assert.ok(!("refused" in forced));
  assert.deepEqual(forced.history.at(-1), { at, step: "revoke", authority: idOf(1), forced: true });
});

test("an expired active one is replaced at once, also by one that is held; the others stay", () => {
  const ledger = after("prepare 1", "activate", "prepare 2");
  const byNew = replaceActive(ledger, { id: idOf(3), origin: "self-signed" }, at);
  assert.equal(shape(byNew), "0 retiring, 2 prepared, 3 active");
  const byPrepared = replaceActive(ledger, { id: idOf(2), origin: "custom" }, at);
  assert.equal(shape(byPrepared), "0 retiring, 2 active");
  assert.deepEqual(byPrepared.setAside, [{ id: idOf(1), origin: "custom", since: at }]);
  assert.ok(!hasGivenUp(byPrepared, idOf(1)), "its key is kept");
  const back = replaceActive(byPrepared, { id: idOf(1), origin: "custom" }, at);
  assert.equal(shape(back), "0 retiring, 1 active");
  assert.deepEqual(
    back.setAside.map(({ id }) => id),
    [idOf(2)],
  );
  assert.deepEqual(
    byPrepared.history.slice(-2).map(({ step, authority }) => [step, authority]),
    [
      ["activate", idOf(2)],
      ["revoke", idOf(1)],
    ],
  );
});

test("what is revoked is given up, or set aside where that is said; of strangers nothing is known", () => {
  const ledger = after("prepare 1", "activate");
  for (const revoked of ["given up", "set aside"] as const) {
    const next = takeStep(ledger, "revoke", { at, forced: false, revoked });
    assert.ok(!("refused" in next));
    assert.equal(hasGivenUp(next, idOf(0)), revoked === "given up");
    assert.deepEqual(keptIds(next), revoked === "given up" ? [idOf(1)] : [idOf(1), idOf(0)]);
    assert.equal(hasGivenUp(next, idOf(9)), false);
  }
  assert.ok(hasGivenUp(after("prepare 1", "rollback"), idOf(1)));
  assert.ok(!hasGivenUp(after("prepare 1", "activate", "rollback"), idOf(1)), "it is retiring");
});

test("of those that were set aside the last four are kept; who falls off is given up", () => {
  let ledger = after();
  for (let index = 1; index <= 6; index++)
    ledger = replaceActive(ledger, { id: idOf(index), origin: "self-signed" }, at);
  assert.deepEqual(
    ledger.setAside.map(({ id }) => id),
    [2, 3, 4, 5].map(idOf),
  );
  assert.deepEqual(
    [0, 1, 2].map((index) => hasGivenUp(ledger, idOf(index))),
    [true, true, false],
  );
});

test("a ledger of the first format has nothing set aside", () => {
  const { ledger, version } = parseLedger(
    JSON.stringify({ ...good, format: 1, version: undefined, setAside: undefined }),
  );
  assert.deepEqual([ledger.setAside, version], [[], 0]);
  assert.equal(shape(ledger), "0 retiring, 1 active");
});

const anyStep = fc.oneof(
  fc.constantFrom(...steps),
  fc.integer({ min: 0, max: 5 }).map((index): Step => `prepare ${index}`),
);

test("law: any steps leave a ledger that reads back as it was written, with one active authority", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 150 }), (wanted) => {
      let ledger = after();
      for (const step of wanted) {
        const next = perform(ledger, step);
        if ("refused" in next) continue;
        assert.notDeepEqual(next.authorities, ledger.authorities);
        ledger = next;
        assert.deepEqual(parseLedger(printLedger(ledger, 7)), { ledger, version: 7 });
        activeOf(ledger);
      }
      assert.ok(ledger.history.length <= 100);
    }),
  );
});

const good = JSON.parse(printLedger(after("prepare 1", "activate"), 2)) as {
  authorities: { id: string; state: string }[];
};
const [first, second] = good.authorities;
const faulty: [what: string, text: string, problem: RegExp][] = [
  ["what is cut", printLedger(after(), 0).slice(0, 20), /not JSON/],
  ["another format", JSON.stringify({ ...good, format: 3 }), /format is not 2/],
  ["no version", JSON.stringify({ ...good, version: undefined }), /version: must be/],
  ["nothing set aside", JSON.stringify({ ...good, setAside: undefined }), /setAside: must be/],
  [
    "one that is held and set aside",
    JSON.stringify({ ...good, setAside: [{ ...second, state: undefined }] }),
    /stands twice/,
  ],
  ["no authority", JSON.stringify({ ...good, authorities: [] }), /0 are active/],
  ["no active one", JSON.stringify({ ...good, authorities: [first] }), /0 are active/],
  [
    "two active ones",
    JSON.stringify({ ...good, authorities: [second, { ...first, state: "active" }] }),
    /2 are active/,
  ],
  ["one twice", JSON.stringify({ ...good, authorities: [second, second] }), /stands twice/],
  [
    "a retiring and a tainted one",
    JSON.stringify({
      ...good,
      authorities: [first, second, { ...first, id: idOf(7), state: "tainted" }],
    }),
    /2 are retiring or tainted/,
  ],
  [
    "an id that is a path",
    JSON.stringify({ ...good, authorities: [{ ...second, id: "../../../etc" }] }),
    /not an authority's id/,
  ],
  [
    "an unknown state",
    JSON.stringify({ ...good, authorities: [{ ...second, state: "asleep" }] }),
    /"asleep": expected prepared or active or/,
  ],
  [
    "no instant",
    JSON.stringify({ ...good, authorities: [{ ...second, since: "soon" }] }),
    /not an instant/,
  ],
  ["a history of something else", JSON.stringify({ ...good, history: [1] }), /not an object/],
  ["no history", JSON.stringify({ ...good, history: undefined }), /history: must be a list/],
];
for (const [what, text, problem] of faulty) {
  test(`a ledger with ${what} is refused`, () => {
    assert.throws(
      () => parseLedger(text),
      (error) => error instanceof InvalidLedgerError && problem.test(error.message),
    );
  });
}
