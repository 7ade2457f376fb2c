import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSetSelector, type LabelRequirement, selectsSet } from "./set-selector.ts";

const requirement = (
  operator: LabelRequirement["operator"],
  ...values: readonly string[]
): LabelRequirement => ({ key: "tier", operator, values });

const rows: [LabelRequirement, labels: Readonly<Record<string, string>>, selected: boolean][] = [
  [requirement("In", "web", "cache"), { tier: "web" }, true],
  [requirement("In", "web", "cache"), { tier: "db" }, false],
  [requirement("In", "web"), {}, false],
  [requirement("In", ""), { tier: "" }, true],
  [requirement("NotIn", "web"), { tier: "web" }, false],
  [requirement("NotIn", "web"), { tier: "db" }, true],
  [requirement("NotIn", "web"), {}, true],
  [requirement("Exists"), { tier: "" }, true],
  [requirement("Exists"), {}, false],
  [requirement("DoesNotExist"), {}, true],
  [requirement("DoesNotExist"), { tier: "" }, false],
  [{ key: "constructor", operator: "Exists", values: [] }, {}, false],
];
for (const [each, labels, selected] of rows) {
  const shown = formatSetSelector({ matchLabels: {}, matchExpressions: [each] });
  test(`${shown} and ${JSON.stringify(labels)}: ${selected}`, () => {
    assert.equal(selectsSet({ matchLabels: {}, matchExpressions: [each] }, labels), selected);
  });
}

test("all parts must hold, and an empty selector selects everything", () => {
  const selector = { matchLabels: { app: "api" }, matchExpressions: [requirement("In", "web")] };
  assert.equal(selectsSet(selector, { app: "api", tier: "web" }), true);
  assert.equal(selectsSet(selector, { app: "api" }), false);
  assert.equal(selectsSet(selector, { tier: "web" }), false);
  assert.equal(selectsSet({ matchLabels: {}, matchExpressions: [] }, {}), true);
  assert.equal(formatSetSelector(selector), "app: api, tier In (web)");
  assert.equal(formatSetSelector({ matchLabels: {}, matchExpressions: [] }), "everything");
});
