import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type AuthorityLedger,
  activeOf,
  firstLedger,
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
  [["prepare 1", "activate", "rollback", "rollback"], "0 retiring, 1 active"],
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
  [["prepare 1", "activate"], "prepare 0", /is held already: it is retiring/],
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
  assert.deepEqual(
    byPrepared.history.slice(-2).map(({ step, authority }) => [step, authority]),
    [
      ["activate", idOf(2)],
      ["revoke", idOf(1)],
    ],
  );
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
        assert.deepEqual(parseLedger(printLedger(ledger)), ledger);
        activeOf(ledger);
      }
      assert.ok(ledger.history.length <= 100);
    }),
  );
});

const good = JSON.parse(printLedger(after("prepare 1", "activate"))) as {
  authorities: { id: string; state: string }[];
};
const [first, second] = good.authorities;
const faulty: [what: string, text: string, problem: RegExp][] = [
  ["what is cut", printLedger(after()).slice(0, 20), /not JSON/],
  ["another format", JSON.stringify({ ...good, format: 2 }), /format is not 1/],
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
