import assert from "node:assert/strict";
import { test } from "node:test";
import { selects } from "./label-selector.ts";
import type { Labels } from "./resource.ts";

const cases: [selector: Labels, labels: Labels, selected: boolean][] = [
  [{}, {}, true],
  [{}, { app: "a" }, true],
  [{ app: "a" }, { app: "a", version: "v1" }, true],
  [{ app: "a", version: "v1" }, { app: "a" }, false],
  [{ app: "a" }, { app: "b" }, false],
  [{ app: "a" }, { App: "a" }, false],
  [{ app: "" }, {}, false],
  [{ app: "" }, { app: "" }, true],
  [{ app: "*" }, { app: "a" }, false],
  [{ constructor: "x" }, {}, false],
];
for (const [selector, labels, selected] of cases) {
  const title = `${JSON.stringify(selector)} and ${JSON.stringify(labels)}`;
  test(`AP-12: ${title}: ${selected}`, () => assert.equal(selects(selector, labels), selected));
}
