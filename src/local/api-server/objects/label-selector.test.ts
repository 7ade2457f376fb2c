import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLabelSelector } from "./label-selector.ts";
import { StatusError } from "./status-error.ts";

const LABELS = { app: "shop", tier: "front", size: "7", empty: "" };

const cases: [selector: string, matches: boolean][] = [
  ["", true],
  ["app=shop", true],
  ["app==shop", true],
  ["app = shop , tier = front", true],
  ["app=shop,tier=back", false],
  ["app!=shop", false],
  ["other!=shop", true],
  ["app", true],
  ["!app", false],
  ["!other", true],
  ["! other", true],
  ["app in (shop, bank)", true],
  ["app in (bank)", false],
  ["other in (bank)", false],
  ["app notin (bank)", true],
  ["other notin (bank)", true],
  ["app notin (shop)", false],
  ["empty=", true],
  ["empty in (,x)", true],
  ["app=", false],
  ["size>6", true],
  ["size<7", false],
  ["app>1", false],
  ["example.com/part!=x", true],
  ["constructor", false],
];
for (const [selector, matches] of cases) {
  test(`${JSON.stringify(selector)} ${matches ? "matches" : "does not match"}`, () =>
    assert.equal(parseLabelSelector(selector)(LABELS), matches));
}

for (const selector of [
  "app in (shop",
  "a b",
  "=x",
  "a=b,",
  "a in shop",
  "size>x",
  "a=b c",
  "-a",
]) {
  test(`${JSON.stringify(selector)} is refused`, () =>
    assert.throws(
      () => parseLabelSelector(selector),
      (error) => error instanceof StatusError && error.status === 400,
    ));
}

test("a selector that is longer than anybody needs is refused unread", () => {
  assert.throws(() => parseLabelSelector("a,".repeat(8_192)), StatusError);
});
