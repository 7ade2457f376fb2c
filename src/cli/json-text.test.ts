import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonText } from "./json-text.ts";

const HOSTILE = "\u001b[31m \u009b2J \u202e \u2028 \u{e0001} ü 😀 a\nb";

test("what steers a terminal is an escape, and means the same", () => {
  const text = jsonText({ path: HOSTILE });
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.deepEqual(JSON.parse(text), { path: HOSTILE });
});
