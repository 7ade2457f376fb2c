import assert from "node:assert/strict";
import { test } from "node:test";
import { FIELD, FIELD_IDS, FIELD_NAMES, fieldIdOf } from "./field-names.ts";

const idOf = (text: string): number => {
  const bytes = Buffer.from(`x${text}x`, "latin1");
  return fieldIdOf(bytes, 1, bytes.length - 1);
};

test("every name has its number, in any letter case, and no name with a letter changed has one", () => {
  for (const [id, name] of FIELD_NAMES.entries()) {
    if (id === FIELD.other) continue;
    assert.equal(idOf(name), id, name);
    assert.equal(idOf(name.toUpperCase()), id, name);
    for (let at = 0; at < name.length; at++) {
      const changed = `${name.slice(0, at)}~${name.slice(at + 1)}`;
      assert.equal(idOf(changed), FIELD.other, changed);
    }
  }
});

for (const text of ["", "x", "hos", "hosts", "other", "content_length", "HOST\0", "\xe8ost"]) {
  test(`${JSON.stringify(text)} is none of them`, () => assert.equal(idOf(text), FIELD.other));
}

test("what is asked of every message is in the first word", () => {
  assert.ok(FIELD_IDS <= 256);
  assert.ok(FIELD["x-forwarded-client-cert"] < 32);
});
