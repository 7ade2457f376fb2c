/** Kinds are served as a real kube-apiserver serves them (test/interop/kubernetes/record.ts). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { RecordedKind } from "../../../../test/kit/kubernetes/recorded-kind.ts";
import { resolved } from "../patches/resolved-structure.ts";
import { SERVED_KINDS } from "./served-kinds.ts";
import type { Structure } from "./structure.ts";

const recorded = JSON.parse(
  readFileSync("test/goldens/kubernetes/kinds.json", "utf8"),
) as RecordedKind[];

function* fieldsOf(structure: Structure, path: string): Generator<string> {
  if (structure.type === "deduced") {
    yield `${path}${structure.names === "free" ? ".?" : ""}`;
    return;
  }
  const here = resolved(structure);
  if (here.type === "list") yield* fieldsOf(here.item, `${path}[${here.keys.join(",")}]`);
  else if (here.type === "map") {
    const entries = Object.entries(here.fields);
    for (const [name, field] of entries) yield* fieldsOf(field, `${path}.${name}`);
    const isOpen = here.other !== undefined && here.other.type !== "deduced";
    if (isOpen || entries.length === 0)
      yield* fieldsOf(here.other ?? { type: "atomic" }, isOpen ? `${path}.*` : path);
  } else yield path;
}

describe("kinds are as a kube-apiserver's", () => {
  test("are recorded", () => assert.ok(recorded.length > 25));
  for (const expected of recorded) {
    test(expected.kind, () => {
      const { apiVersion, plural } = expected;
      const served = SERVED_KINDS.find(({ group, versions, plural: name }) => {
        const own = group === "" ? versions[0] : `${group}/${versions[0]}`;
        return own === apiVersion && name === plural;
      });
      assert.ok(served !== undefined);
      const { kind, singular, shortNames, categories, namespaced, structure } = served;
      const { verbs: _, subresources, fields, ...rest } = expected;
      assert.deepEqual(
        { apiVersion, kind, plural, singular, shortNames, categories, namespaced },
        rest,
      );
      assert.deepEqual([...served.verbs].sort(), expected.verbs);
      for (const one of served.subresources) assert.ok(subresources.includes(one), one);
      if (fields !== undefined) {
        assert.ok(structure.type === "map" && structure.fields["spec"] !== undefined);
        assert.deepEqual(
          [...fieldsOf(structure.fields["spec"], ".spec")].sort(),
          [...fields].sort(),
        );
      }
    });
  }
});

test("no two kinds have a name in common that kubectl would take for either", () => {
  const names = SERVED_KINDS.flatMap(({ group, plural, shortNames }) =>
    [plural, ...shortNames].map((name) => `${name}.${group}`),
  );
  assert.equal(new Set(names).size, names.length);
});
