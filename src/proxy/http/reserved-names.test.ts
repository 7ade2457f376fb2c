import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldName } from "../../http/field-ranges.ts";
import { HeldFields } from "./held-fields.ts";
import type { ReceivedFields } from "./received-message.ts";
import { removeReserved, withoutReserved } from "./reserved-names.ts";

function fieldsOf(...names: readonly string[]): HeldFields {
  const fields = HeldFields.borrow();
  for (const name of names) fields.add(name, "forged");
  return fields;
}

/** Those that go on. */
function left(fields: ReceivedFields): readonly string[] {
  return Array.from({ length: fields.count }, (_, at) => at)
    .filter((at) => fields.goesOn(at))
    .map((at) => fieldName(fields, at));
}

const cases: readonly [reserved: readonly string[], left: readonly string[]][] = [
  [[], ["x-user", "X-USER", "x_user", "x-users", "x-sum"]],
  [["x-user"], ["x-users", "x-sum"]],
  [["x-user", "x-sum"], ["x-users"]],
  [["x_user"], ["x-users", "x-sum"]],
];
for (const [reserved, expected] of cases) {
  const sent = ["x-user", "X-USER", "x_user", "x-users", "x-sum"];

  test(`JWT-74: of headers, with ${reserved.join(", ") || "nothing"} reserved`, () => {
    const fields = fieldsOf(...sent);
    removeReserved(fields, reserved);
    assert.deepEqual(left(fields), expected);
  });
}

test("trailers are rid of them, and what was received stays as it is", () => {
  const received = fieldsOf("x-user", "x-sum");
  let seen: readonly string[] = [];
  withoutReserved(received, ["x-user"], (fields) => {
    seen = left(fields);
  });
  assert.deepEqual(seen, ["x-sum"]);
  assert.deepEqual(left(received), ["x-user", "x-sum"]);
});
