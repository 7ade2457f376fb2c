import assert from "node:assert/strict";
import { test } from "node:test";
import { policy } from "../../test/kit/sidecar-fixture.ts";
import { keepAuthorization } from "./keep-authorization.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "./workload-view.ts";

function named(name: string, method = "GET"): AppliedPolicy {
  return policy("ALLOW", name, { to: [{ methods: [method], paths: ["/"] }] });
}

function allowing(...allow: readonly AppliedPolicy[]): EffectiveAuthorization {
  return { custom: [], audit: [], deny: [], allow };
}

test("what is equal is the object of before", () => {
  const before = allowing(named("a"), named("b"));
  assert.equal(keepAuthorization(before, allowing(named("a"), named("b"))), before);
});

const BEFORE = allowing(named("a"), named("c"), named("d"));
const [A, C, D] = BEFORE.allow;

const CHANGES: readonly (readonly [
  what: string,
  next: EffectiveAuthorization,
  kept: readonly (AppliedPolicy | undefined)[],
])[] = [
  [
    "one more in the middle",
    allowing(named("a"), named("b"), named("c"), named("d")),
    [A, undefined, C, D],
  ],
  ["one less in the middle", allowing(named("a"), named("d")), [A, D]],
  [
    "another in the place of one",
    allowing(named("a"), named("c", "POST"), named("d")),
    [A, undefined, D],
  ],
  ["another order", allowing(named("d"), named("a"), named("c")), [D, A, C]],
];

for (const [what, next, kept] of CHANGES) {
  test(`${what}: the others are the objects of before, and it says what is new`, () => {
    const result = keepAuthorization(BEFORE, next);
    assert.deepEqual(result, next);
    for (const [place, expected] of kept.entries())
      if (expected === undefined)
        assert.ok(BEFORE.allow.every((one) => one !== result.allow[place]));
      else assert.equal(result.allow[place], expected);
  });
}

test("a policy that moves to another action is none of before", () => {
  const before = allowing(named("a"));
  const { ref } = named("a");
  const denying: AppliedPolicy = { ...policy("DENY", "a", {}), ref };
  const next = { ...allowing(), deny: [denying] };
  assert.deepEqual(keepAuthorization(before, next), next);
});
