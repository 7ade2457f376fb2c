import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { authorityStatus } from "../../test/kit/sidecar-states.ts";
import {
  type AuthorityLedger,
  activeOf,
  firstLedger,
  prepareAuthority,
  takeStep,
} from "../ca/authority-ledger.ts";
import type { RotationStep } from "../ca/rotation.ts";
import { automaticStep } from "./automatic-step.ts";

const START = new Date("2026-01-31T12:00:00Z").getTime();
const IDS = ["a", "b", "c"];

/** A ledger after these steps; those that are refused are left out. */
function ledgerAfter(steps: readonly string[]): AuthorityLedger {
  return steps.reduce(apply, firstLedger({ id: "a", origin: "custom" }, new Date(START)));
}

/** @param step `prepare b`, or any other step by its name */
function apply(ledger: AuthorityLedger, step: string): AuthorityLedger {
  const at = new Date(START + (ledger.history.length + 1) * 1000);
  const [name, id = ""] = step.split(" ");
  const next =
    name === "prepare"
      ? prepareAuthority(ledger, { id, origin: "custom" }, at)
      : takeStep(ledger, name as Exclude<RotationStep, "prepare">, { at, forced: false });
  return "refused" in next ? ledger : next;
}

function nextFor(
  wanted: string,
  ledger: AuthorityLedger,
  options: { readonly roots?: "its own" | "others too"; readonly chosenAt?: Date } = {},
): ReturnType<typeof automaticStep> {
  const { roots = "others too", chosenAt } = options;
  const { history } = ledger;
  const since = history.filter(({ at }) => chosenAt === undefined || at > chosenAt);
  const authorities = ledger.authorities.map(({ id, state }) => authorityStatus(id, state));
  return automaticStep({ wanted, authorities, history, since, roots });
}

/** The folder held `a` or `b` from the start, and came to hold `c` in the end. */
const CASES: readonly (readonly [string, string, RotationStep | undefined])[] = [
  ["a", "", undefined],
  ["b", "", "prepare"],
  ["b", "prepare b", "activate"],
  ["b", "prepare b, activate", "taint"],
  ["b", "prepare b, activate, taint", "revoke"],
  ["b", "prepare b, activate, taint, revoke", undefined],
  ["c", "prepare b", "rollback"],
  ["c", "prepare b, activate", "taint"],
  ["c", "prepare b, activate, taint", "revoke"],
  ["c", "prepare b, activate, taint, revoke", "prepare"],
  ["a", "prepare b, activate", undefined],
  ["a", "prepare b, activate, rollback, activate", undefined],
  ["a", "prepare b, activate, rollback", "taint"],
  ["b", "prepare b, activate, rollback, activate", "taint"],
  ["b", "prepare b, rollback, prepare c, rollback", undefined],
  ["b", "prepare b, rollback", undefined],
  ["b", "prepare b, activate, rollback", undefined],
  ["b", "prepare b, rollback, prepare b", "activate"],
  ["c", "prepare b, rollback", "prepare"],
];
for (const [wanted, steps, step] of CASES) {
  test(`CA-46: ${wanted} in the folder, after "${steps}": ${step ?? "nothing"}`, () => {
    const ledger = ledgerAfter(steps === "" ? [] : steps.split(", "));
    const chosenAt = wanted === "c" ? { chosenAt: new Date(START + 3_600_000) } : {};
    assert.equal(nextFor(wanted, ledger, chosenAt).step, step);
  });
}

test("CA-47: under the same root nobody is hurried: no taint, the former one goes once all have renewed", () => {
  const ledger = ledgerAfter(["prepare b", "activate"]);
  assert.equal(nextFor("b", ledger, { roots: "its own" }).step, "revoke");
});

test("what was rolled back by hand is taken again when the folder changes to it after that", () => {
  const ledger = ledgerAfter(["prepare b", "rollback"]);
  const after = new Date(START + 3_600_000);
  assert.equal(nextFor("b", ledger, { chosenAt: after }).step, "prepare");
  const stays = nextFor("b", ledger, { chosenAt: new Date(START) });
  assert.deepEqual([stays.step, stays.isOverruled], [undefined, true]);
  assert.match(stays.doing, /^rolled back by hand; .*or `hauberk ca prepare --from FOLDER`$/);
});

test("one that is trusted still comes back the way it went, once the folder changes to it", () => {
  const chosenAt = new Date(START + 3_600_000);
  const former = ledgerAfter(["prepare b", "activate"]);
  assert.equal(nextFor("a", former, { chosenAt }).step, "rollback");
  assert.match(
    nextFor("a", former).doing,
    /^another was activated by hand; .*`hauberk ca rollback`$/,
  );
  const rolledBack = ledgerAfter(["prepare b", "activate", "rollback"]);
  assert.equal(nextFor("b", rolledBack, { chosenAt }).step, "activate");
  assert.match(nextFor("b", rolledBack).doing, /^rolled back by hand; .*`hauberk ca activate`$/);
});

const STEPS_BY_HAND = ["activate", "taint", "rollback"];
const STARTS = [
  { wanted: "b", before: [] },
  { wanted: "a", before: ["prepare b", "activate", "rollback"] },
];
const anyTurn = fc.constantFrom("machine", ...STEPS_BY_HAND);
test("law: whom a person has made sign, the folder takes nothing from until it changes", () => {
  const turns = fc.array(anyTurn, { maxLength: 16 });
  fc.assert(
    fc.property(fc.constantFrom(...STARTS), turns, ({ wanted, before }, taken) => {
      let ledger = ledgerAfter(before);
      const chosenAt = new Date(START + before.length * 1_000);
      let byHand: string | undefined;
      for (const turn of taken) {
        const step = turn === "machine" ? nextFor(wanted, ledger, { chosenAt }).step : turn;
        if (step === undefined) continue;
        const next = apply(ledger, step === "prepare" ? `prepare ${wanted}` : step);
        const signer = activeOf(next).id;
        if (turn === "machine" && byHand !== undefined) assert.equal(signer, byHand, step);
        if (turn !== "machine" && signer !== activeOf(ledger).id) byHand = signer;
        ledger = next;
      }
    }),
  );
});

const anyStep = fc.constantFrom(
  ...IDS.map((id) => `prepare ${id}`),
  "activate",
  "taint",
  "revoke",
  "rollback",
);
test("from wherever people left it, the folder's authority comes to be the only one", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 12 }), fc.constantFrom(...IDS), (steps, wanted) => {
      let ledger = ledgerAfter(steps);
      const chosenAt = new Date(START + 3_600_000);
      for (let taken = 0; taken < 12; taken++) {
        const { step } = nextFor(wanted, ledger, { chosenAt });
        if (step === undefined) break;
        const next = apply(ledger, step === "prepare" ? `prepare ${wanted}` : step);
        assert.notEqual(next, ledger, `${step} is refused`);
        ledger = next;
      }
      const left = ledger.authorities.filter(({ state }) => state !== "prepared");
      assert.deepEqual(
        left.map(({ id, state }) => [id, state]),
        [[wanted, "active"]],
      );
    }),
  );
});
