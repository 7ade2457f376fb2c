import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { authorityStatus } from "../../test/kit/sidecar-states.ts";
import {
  type AuthorityLedger,
  firstLedger,
  prepareAuthority,
  takeStep,
} from "../ca/authority-ledger.ts";
import { BACKDATE_MS } from "../ca/issuing-rules.ts";
import type { AuthorityStatus, RotationStep } from "../ca/rotation.ts";
import { type SelfSignedStep, selfSignedStep } from "./self-signed-step.ts";

const DAY_MS = 86_400_000;
const START = Date.parse("2026-01-31T12:00:00Z");
const day = (days: number): Date => new Date(START + days * DAY_MS);
/** Every root lives 100 days from its making, so that the one of day 0 is due on day 80. */
const LIFE_DAYS = 100;
const RULES = { gracePercent: 20, keepMs: 2 * DAY_MS };
const ROOTS = ["a", "b", "c", "d"];

const OPEN_DAYS = fc.array(fc.boolean(), { minLength: 400, maxLength: 400 });

interface Mesh {
  readonly ledger: AuthorityLedger;
  /** Day on which each was made. */
  readonly made: ReadonlyMap<string, number>;
}

const first: Mesh = {
  ledger: firstLedger({ id: "a", origin: "self-signed" }, day(0)),
  made: new Map([["a", 0]]),
};

/** @param what `prepare b`, `prepare b custom`, or any other step by its name; one that is refused changes nothing */
function after(mesh: Mesh, onDay: number, what: string): Mesh {
  const [name = "", id = "", origin] = what.split(" ");
  const comer = { id, origin: origin === "custom" ? "custom" : "self-signed" } as const;
  const at = day(onDay);
  const next =
    name === "prepare"
      ? prepareAuthority(mesh.ledger, comer, at)
      : takeStep(mesh.ledger, name as Exclude<RotationStep, "prepare">, { at, forced: false });
  if ("refused" in next) return mesh;
  const made = new Map(mesh.made);
  if (name === "prepare" && !made.has(id)) made.set(id, onDay);
  return { ledger: next, made };
}

/** @param steps `80 prepare b, 81 activate` */
function meshAfter(steps: string): Mesh {
  if (steps === "") return first;
  return steps.split(", ").reduce((mesh, step) => {
    const [onDay, ...what] = step.split(" ");
    return after(mesh, Number(onDay), what.join(" "));
  }, first);
}

function stepOn(onDay: number, { ledger, made }: Mesh, rules = RULES): SelfSignedStep {
  const authorities = ledger.authorities.map(({ id, state, origin, since }): AuthorityStatus => {
    const from = made.get(id) ?? 0;
    const notBefore = new Date(day(from).getTime() - BACKDATE_MS);
    const notAfter = day(from + LIFE_DAYS);
    const changes = { origin, since, notBefore, notAfter, chainNotAfter: notAfter };
    return authorityStatus(id, state, changes);
  });
  const { history } = ledger;
  return selfSignedStep({ authorities, history }, { ...rules, now: day(onDay) });
}

const CASES: readonly (readonly [
  onDay: number,
  steps: string,
  step: string | undefined,
  doing?: RegExp,
])[] = [
  [0, "", undefined],
  [79.9, "", undefined],
  [80, "", "prepare", /is due/],
  [80, "80 prepare b", "activate"],
  [94.9, "80 prepare b", "activate"],
  [95, "80 prepare b", "activate by force"],
  [120, "80 prepare b", "activate by force"],
  [81, "80 prepare b, 81 activate", undefined, /trusted until 2026-04-24T12:00/],
  [83, "80 prepare b, 81 activate", "revoke"],
  [81, "80 prepare b, 81 activate, 81 taint", "revoke"],
  [99, "80 prepare b, 99 activate", undefined, /trusted until 2026-05-12T12:00/],
  [100, "80 prepare b, 99 activate", undefined, /trusted until 2026-05-12T12:00/],
  [101, "80 prepare b, 99 activate", "revoke by force"],
  // Nobody looked until the next one was due, too.
  [161, "80 prepare b, 81 activate", "revoke by force"],
  [90, "10 prepare b, 20 activate, 30 rollback, 31 activate, 32 rollback", undefined],
  // A clock that ran ahead, and is right again.
  [5, "90 prepare b", "rollback", /clock that ran ahead/],
  [85, "90 prepare b", "rollback", /clock that ran ahead/],
  [89.99, "90 prepare b", "activate"],
  [5, "90 prepare b custom", undefined],
  [100, "80 prepare b, 81 activate", "revoke by force"],
  [100, "80 prepare b, 81 activate, 83 revoke", undefined],
  [160, "80 prepare b, 81 activate, 83 revoke", "prepare"],
  // Somebody turns it by hand, before it is due: theirs to end, until its end comes near.
  [20, "10 prepare b", undefined],
  [30, "10 prepare b, 20 activate", undefined],
  [80, "10 prepare b", "activate"],
  [80, "10 prepare b, 20 activate", "revoke"],
  [90, "10 prepare b, 20 activate, 30 rollback", undefined, /until authority b is revoked/],
  // The brake.
  [85, "80 prepare b, 81 rollback", undefined, /rolled back by hand/],
  [85, "80 prepare b, 81 activate, 82 rollback", undefined, /rolled back by hand/],
  [99, "80 prepare b, 81 rollback", undefined, /rolled back by hand/],
  [85, "80 prepare b, 81 rollback, 84 prepare c", "activate"],
  [85, "10 prepare b, 11 rollback", "prepare"],
  [85, "80 prepare b, 81 activate, 82 rollback, 82 activate", "revoke"],
  // Authorities that somebody brought.
  [80, "10 prepare b custom, 11 activate, 12 revoke", undefined],
  [109, "10 prepare b custom, 11 activate, 12 revoke", undefined],
  [80, "10 prepare b custom", undefined, /left to whoever has prepared the custom authority b/],
  [80, "10 prepare b custom, 11 activate", undefined],
];
for (const [onDay, steps, expected, doing = /./] of CASES) {
  test(`CA-42: day ${onDay}, after "${steps}": ${expected ?? "nothing"}`, () => {
    const { step, gate, ...told } = stepOn(onDay, meshAfter(steps));
    assert.equal(step && (gate === "forced" ? `${step} by force` : step), expected);
    if (told.doing !== undefined) assert.match(told.doing, doing);
    else if (doing.source !== ".") assert.fail(`nothing is told of ${doing}`);
  });
}

test("CA-42: when it is due is told from the first day on", () => {
  assert.match(stepOn(0, first).planned ?? "", /^from 2026-04-21T12:00:00.000Z on/);
  const custom = meshAfter("10 prepare b custom, 11 activate, 12 revoke");
  assert.equal(stepOn(20, custom).planned, undefined);
});

test("the grace is what it is said to be", () => {
  const authorities = [
    authorityStatus("a", "active", {
      notBefore: new Date(START - BACKDATE_MS),
      notAfter: day(LIFE_DAYS),
    }),
  ];
  for (const [gracePercent, dueOn] of [
    [1, 99],
    [50, 50],
    [99, 1],
  ] as const) {
    const on = (now: Date): unknown =>
      selfSignedStep({ authorities, history: [] }, { ...RULES, gracePercent, now }).step;
    assert.equal(on(new Date(day(dueOn).getTime() - 1)), undefined);
    assert.equal(on(day(dueOn)), "prepare");
  }
});

test("CA-42: however long a gate stays shut, a mesh that is looked at each day has a root that signs, for ever", () => {
  fc.assert(
    fc.property(OPEN_DAYS, fc.integer({ min: 0, max: 300 }), (openDays, keepDays) => {
      const rules = { ...RULES, keepMs: keepDays * DAY_MS };
      let mesh = first;
      let named = 0;
      for (const [onDay, isOpen] of openDays.entries()) {
        const { step, gate } = stepOn(onDay, mesh, rules);
        const isTaken = step === "prepare" || gate === "forced" || isOpen;
        const what = step === "prepare" ? `prepare ${ROOTS[++named % 4]}${named}` : step;
        if (what !== undefined && isTaken) {
          const next = after(mesh, onDay, what);
          assert.notEqual(next, mesh, `${what} is refused`);
          mesh = next;
        }
        const active = mesh.ledger.authorities.find(({ state }) => state === "active");
        const madeOn = mesh.made.get(active?.id ?? "") ?? Number.NaN;
        assert.ok(onDay < madeOn + LIFE_DAYS, `day ${onDay}: it was made on day ${madeOn}`);
        assert.ok(mesh.ledger.authorities.length <= 2);
      }
    }),
    { numRuns: 50 },
  );
});

test("what was rolled back once it was due is trouble; where a custom one comes, no renewal is promised", () => {
  assert.equal(stepOn(85, meshAfter("80 prepare b, 81 rollback")).isOverruled, true);
  assert.equal(stepOn(85, meshAfter("80 prepare b")).isOverruled, undefined);
  assert.match(stepOn(10, meshAfter("")).planned ?? "", /another root takes its place/);
  for (const steps of ["9 prepare b custom", "9 prepare b custom, 9 activate"])
    assert.deepEqual(stepOn(10, meshAfter(steps)), { gate: "ask" }, steps);
});
