/** Laws of reading that hold for every kind of Istio, whatever its fields say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { valueNear } from "../../test/kit/schema-values.ts";
import { KIND_PARSERS } from "./kind-parsers.ts";
import { parseResources } from "./parse-resources.ts";
import { schemaOfKind } from "./schema/schema-of-kind.ts";
import { validateResources } from "./validate-resources.ts";

const istioKinds = [...KIND_PARSERS].flatMap(([kind, { apiVersions }]) => {
  const schema = schemaOfKind(kind);
  return schema?.type === "object" ? [{ kind, apiVersions, spec: schema.fields["spec"] }] : [];
});

test("there are kinds to look at", () => assert.equal(istioKinds.length, 14));

for (const { kind, apiVersions, spec } of istioKinds) {
  assert.ok(spec !== undefined);
  test(`law: ${kind}: any value of any field is read without throwing, and is a resource or has issues`, () => {
    let refused = 0;
    fc.assert(
      fc.property(valueNear(spec), fc.constantFrom(...apiVersions), (value, apiVersion) => {
        const metadata = { name: "a", namespace: "shop" };
        const text = JSON.stringify({ apiVersion, kind, metadata, spec: value });
        const { resources, issues } = parseResources(text, "f");
        const found = validateResources(text, "f").flatMap((document) => document.issues);
        assert.equal(resources.length, issues.length === 0 ? 1 : 0);
        assert.equal(found.length > 0, issues.length > 0);
        assert.deepEqual(
          new Set(issues.map(({ path }) => path)),
          new Set(found.map(({ path }) => path)),
        );
        if (issues.length > 0) refused++;
      }),
      { numRuns: 200 },
    );
    assert.ok(refused > 0, "some of the values are faulty");
  });
}
