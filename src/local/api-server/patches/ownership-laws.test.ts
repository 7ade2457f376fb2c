/** What holds of ownership whoever changes what. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Dice } from "../../../../test/kit/dice.ts";
import { servedKindOf } from "../../../../test/kit/kubernetes/object-paths.ts";
import { madeObject, SEQUENCE_KINDS } from "../../../../test/kit/kubernetes/sequence-objects.ts";
import type { JsonObject, KubernetesObject } from "../kinds/kubernetes-object.ts";
import { StatusError } from "../objects/status-error.ts";
import { applyObject } from "./apply-object.ts";
import { FieldSet } from "./field-set.ts";
import { fieldsOf } from "./fields-of.ts";
import { type Change, trackUpdate } from "./managed-fields.ts";
import { mergeValues } from "./merge-values.ts";
import type { FieldPath } from "./path-element.ts";

const element = fc.constantFrom("f:a", "f:b", 'k:{"n":"a"}', 'v:"x"', "v:10", "v:9");
const path: fc.Arbitrary<FieldPath> = fc.array(element, { minLength: 1, maxLength: 4 });
const set: fc.Arbitrary<FieldSet> = fc
  .array(path, { maxLength: 12 })
  .map((paths) => FieldSet.of(...paths));

const written = (one: FieldSet): JsonObject => one.written();

describe("sets of fields", () => {
  test("are read as they are written", () => {
    fc.assert(
      fc.property(set, (one) => {
        assert.deepEqual(written(FieldSet.read(written(one)) ?? FieldSet.empty), written(one));
      }),
    );
  });
  test("are sets", () => {
    fc.assert(
      fc.property(set, set, (one, other) => {
        assert.deepEqual(written(one.union(one)), written(one));
        assert.deepEqual(written(one.union(other)), written(other.union(one)));
        assert.ok(one.difference(one).isEmpty);
        assert.ok(one.difference(other).intersection(other).isEmpty);
        const parts = one.difference(other).union(one.intersection(other));
        assert.deepEqual(written(parts), written(one));
        for (const each of one.paths()) assert.ok(one.union(other).has(each));
      }),
    );
  });
  const none: unknown[] = [
    null,
    "text",
    { "f:a": null },
    { a: {} },
    { "k:{": {} },
    { "k:[]": {} },
    { 'k:{"a":{}}': {} },
    { "v:{}": {} },
    { "i:x": {} },
  ];
  for (const text of none) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(FieldSet.read(text), undefined));
  }
  test("have an end", () => {
    let deep: object = {};
    for (let depth = 0; depth < 1000; depth++) deep = { "f:a": deep };
    assert.equal(FieldSet.read(deep), undefined);
  });
  test("an item's keys are the same in any order", () => {
    const one = FieldSet.read({ 'k:{"b":1, "a":2}': {} });
    assert.ok(one?.has(['k:{"a":2,"b":1}']));
  });
});

interface Thrown {
  readonly live: KubernetesObject;
  readonly applied: KubernetesObject;
}

const MANAGERS = ["alpha", "beta", "delta"];

/** An object that several have changed, and what one more wants of it. */
function thrown(seed: number): Thrown {
  const dice = new Dice(seed);
  const kind = dice.pick(SEQUENCE_KINDS);
  const throwOne = (): KubernetesObject =>
    madeObject(kind, { dice, name: "shop", share: dice.pick([0.3, 0.8]) });
  const first = throwOne();
  const served = servedKindOf(first);
  const change = (manager: string): Change => changeOf(first, manager);
  const sent = served.withDefaults?.(first) ?? first;
  let live = trackUpdate(served, undefined, sent, change(dice.pick(MANAGERS)));
  for (const manager of dice.several(1, 3, () => dice.pick(MANAGERS))) {
    live = applyObject(served, live, throwOne(), { ...change(manager), force: true });
  }
  return { live, applied: throwOne() };
}

const changeOf = ({ apiVersion }: KubernetesObject, manager: string): Change => ({
  manager,
  apiVersion,
  time: "2026-01-01T00:00:00Z",
});

const later = "2026-01-02T00:00:00Z";
const seeds = fc.integer({ min: 1, max: 1_000_000 });

const entriesOfOthers = ({ metadata }: KubernetesObject, manager: string): JsonObject[] =>
  (metadata.managedFields ?? []).filter(
    (entry) => entry["manager"] !== manager || entry["operation"] !== "Apply",
  );

describe("server-side apply", () => {
  test("twice is as once", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { live, applied } = thrown(seed);
        const kind = servedKindOf(live);
        const change = { ...changeOf(live, "epsilon"), force: true };
        const once = applyObject(kind, live, applied, change);
        assert.deepEqual(applyObject(kind, once, applied, { ...change, time: later }), once);
      }),
    );
  });
  test("brings about what is applied", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { live, applied } = thrown(seed);
        const kind = servedKindOf(live);
        const { withDefaults = (one: KubernetesObject) => one } = kind;
        const after = applyObject(kind, live, applied, {
          ...changeOf(live, "epsilon"),
          force: true,
        });
        const again = mergeValues(kind.structure, after, applied) as KubernetesObject;
        assert.deepEqual(withDefaults(again), after);
      }),
    );
  });
  test("owns what it applied, all and no more", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { live, applied } = thrown(seed);
        const kind = servedKindOf(live);
        const after = applyObject(kind, live, applied, {
          ...changeOf(live, "epsilon"),
          force: true,
        });
        const entry = after.metadata.managedFields?.find(({ manager }) => manager === "epsilon");
        const owned = FieldSet.read(entry?.["fieldsV1"]) ?? FieldSet.empty;
        const wanted = fieldsOf(kind.structure, applied);
        for (const each of owned.paths()) assert.ok(wanted.has(each), each.join(""));
        for (const each of wanted.paths()) {
          const isIdentity =
            ["f:apiVersion", "f:kind"].includes(each[0] ?? "") || each[1] === "f:name";
          assert.equal(owned.has(each), !isIdentity, each.join(""));
        }
      }),
    );
  });
  test("without force takes nothing from anybody, or says from whom it would", () => {
    let [refused, taken] = [0, 0];
    fc.assert(
      fc.property(seeds, (seed) => {
        const { live, applied } = thrown(seed);
        const kind = servedKindOf(live);
        const change = { ...changeOf(live, "epsilon"), force: false };
        try {
          const after = applyObject(kind, live, applied, change);
          assert.deepEqual(entriesOfOthers(after, "epsilon"), entriesOfOthers(live, "epsilon"));
          taken += 1;
        } catch (error) {
          assert.ok(error instanceof StatusError);
          assert.equal(error.status, 409);
          assert.ok((error.details?.causes?.length ?? 0) > 0);
          refused += 1;
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(refused > 10 && taken > 10, `${refused} refused, ${taken} taken`);
  });
  test("of nothing more leaves what others want", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { live, applied } = thrown(seed);
        const kind = servedKindOf(live);
        const { apiVersion, kind: name } = live;
        const change = { ...changeOf(live, "epsilon"), force: true };
        const after = applyObject(kind, live, applied, change);
        const bare = { apiVersion, kind: name, metadata: { name: "shop" } };
        const last = applyObject(kind, after, bare, change);
        const managers = (last.metadata.managedFields ?? []).map(({ manager }) => manager);
        assert.ok(!managers.includes("epsilon"));
        assert.deepEqual(entriesOfOthers(last, "epsilon"), entriesOfOthers(after, "epsilon"));
      }),
    );
  });
});

test("an update that changes nothing leaves everybody what is theirs", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { live } = thrown(seed);
      const change = { ...changeOf(live, "zeta"), time: later };
      assert.deepEqual(trackUpdate(servedKindOf(live), live, live, change), live);
    }),
  );
});
