/** Values near a schema: mostly right, sometimes of another type or beyond a limit, as users write them. */
import fc from "fast-check";
import type { Schema } from "../../src/api/schema/schema.ts";

const TEXTS = [
  "",
  "a",
  "*",
  "*.a.com",
  "5s",
  "0s",
  "80",
  "10.0.0.0/8",
  "unix:///a",
  "https://a",
  "a/b",
  "GET",
  "{",
];
const JUNK = fc.constantFrom<unknown>(null, true, -1, 1.5, 70_000, "", "*", [], {}, [null], {
  a: null,
});

/** @returns plain data, as JSON has it */
export function valueNear(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: rightType(schema) }, { weight: 1, arbitrary: JUNK });
}

function rightType(schema: Schema): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case "text":
      return fc.constantFrom(...TEXTS);
    case "choice":
      return fc.constantFrom(...schema.values);
    case "integer":
      return fc.constantFrom(0, 1, 80, 503, 65_535, 4_000_000_000);
    case "number":
      return fc.constantFrom(0, 0.5, 100, -1);
    case "flag":
      return fc.boolean();
    case "list":
      return fc.array(valueNear(schema.item), { maxLength: 2 });
    case "map":
      return fc.dictionary(fc.constantFrom("80", "a", "app", "x.y/z"), valueNear(schema.value), {
        maxKeys: 2,
      });
    case "object":
      return someFields(schema.fields);
    case "anything":
      return fc.constantFrom({}, { name: "a", value: [1, { b: null }] });
  }
}

/** A few fields of many, so that a deep schema still gives small values. */
function someFields(fields: Readonly<Record<string, Schema>>): fc.Arbitrary<unknown> {
  const names = Object.keys(fields);
  return fc.subarray(names, { maxLength: Math.min(4, names.length) }).chain((chosen) =>
    fc.record(
      Object.fromEntries(
        chosen.flatMap((name) => {
          const field = fields[name];
          return field === undefined ? [] : [[name, valueNear(field)]];
        }),
      ),
    ),
  );
}
