import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fieldName } from "../../http/field-ranges.ts";
import { leaveOutDisguised } from "./disguised-fields.ts";
import { HeldFields } from "./held-fields.ts";

function goOn(names: readonly string[]): string[] {
  const held = HeldFields.borrow();
  for (const name of names) held.add(name, "v");
  leaveOutDisguised(held);
  const staying = names.filter((_, index) => held.goesOn(index));
  assert.deepEqual(
    Array.from({ length: held.count }, (_, index) => fieldName(held, index)),
    names,
    "what is judged stays",
  );
  held.release();
  return staying;
}

test("names of ours that are spelt with underscores do not go on, and all others do", () => {
  const kept = [
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-envoy-external-address",
    "x_",
    "x",
    "x_forwardedfor",
    "x_custom_name",
    "my_header",
    "_x_forwarded_for",
    "ax-forwarded_for",
  ];
  const left = ["x_forwarded_client_cert", "X-Forwarded_Proto", "x_Envoy-a", "x-envoy-decorator_b"];
  assert.deepEqual(goOn([...kept, ...left]), kept);
});

test("law: as an application sees names that takes _ for -, ours alone are ours", () => {
  const spelling = fc
    .tuple(
      fc.constantFrom("x-forwarded-client-cert", "x-forwarded-host", "x-envoy-original-path"),
      fc.array(fc.constantFrom("-", "_"), { minLength: 3, maxLength: 3 }),
      fc.boolean(),
    )
    .map(([name, marks, isLoud]) => {
      let index = 0;
      const spelt = name.replace(/-/g, () => marks[index++] ?? "-");
      return isLoud ? spelt.toUpperCase() : spelt;
    });
  fc.assert(
    fc.property(spelling, (name) => {
      assert.deepEqual(goOn([name]), name.includes("_") ? [] : [name]);
    }),
  );
});
