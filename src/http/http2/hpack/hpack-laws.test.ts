/** What holds of HPACK for any fields: against a plain table, and from our encoder to our decoder. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Field, integer } from "../../../../test/kit/http2-frames.ts";
import { fieldName, fieldValue } from "../../field-ranges.ts";
import type { ArenaField } from "../field-arena.ts";
import { FieldArena } from "../field-arena.ts";
import { DYNAMIC_TABLE_SIZE } from "../limits.ts";
import { ReceivedHead } from "../received-head.ts";
import { FieldBlock } from "./field-block.ts";
import { type FieldSink, HpackDecoder } from "./hpack-decoder.ts";

/** Keeps all fields as they come, pseudo-fields too, and judges none. */
class Kept implements FieldSink {
  readonly arena = new FieldArena();
  readonly fields: Field[] = [];
  isTooLarge = false;
  accept({ nameStart, nameEnd, valueStart, valueEnd }: ArenaField): void {
    const text = this.arena.bytes;
    const name = text.toString("latin1", nameStart, nameEnd);
    this.fields.push([name, text.toString("latin1", valueStart, valueEnd)]);
  }
  skip(): void {}
}

/** @returns the fields, or why the block is none */
function decode(decoder: HpackDecoder, block: Buffer): Field[] | string {
  const kept = new Kept();
  kept.arena.load(block, 0, block.length);
  return decoder.decode(kept) || kept.fields;
}

/** A table as it is described, in plain words: the oracle of the law below. */
class PlainTable {
  readonly entries: Field[] = [];
  insert(field: Field): void {
    this.entries.unshift(field);
    const size = (): number =>
      this.entries.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (size() > DYNAMIC_TABLE_SIZE) this.entries.pop();
  }
}

const word = fc.string({ unit: fc.constantFrom("a", "b", "-", "7"), minLength: 1, maxLength: 90 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("insert" as const), name: word, value: word }),
  fc.record({ kind: fc.constant("repeat" as const), index: fc.nat(70) }),
  fc.record({ kind: fc.constant("rename" as const), index: fc.nat(70), value: word }),
);

test("the dynamic table gives what a plain list would give, however it moves in memory", () => {
  const law = fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
    const decoder = new HpackDecoder();
    const table = new PlainTable();
    for (const one of steps) {
      const known = one.kind === "insert" ? undefined : table.entries[one.index];
      if (one.kind !== "insert" && known === undefined) continue;
      const name = one.kind === "insert" ? one.name : (known?.[0] ?? "");
      const value = one.kind === "repeat" ? (known?.[1] ?? "") : one.value;
      const text = (part: string) =>
        Buffer.concat([integer(0x7f, 0, part.length), Buffer.from(part)]);
      const block =
        one.kind === "repeat"
          ? integer(0x7f, 0x80, one.index + 62)
          : one.kind === "rename"
            ? Buffer.concat([integer(0x3f, 0x40, one.index + 62), text(value)])
            : Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
      assert.deepEqual(decode(decoder, block), [[name, value]]);
      if (one.kind !== "repeat") table.insert([name, value]);
    }
  });
  fc.assert(law, { numRuns: 60 });
});

const name = fc.string({ unit: fc.constantFrom(..."abcxyz-_.0189"), minLength: 1, maxLength: 40 });
const value = fc
  .string({ unit: fc.constantFrom(...'abc XYZ;=/\u00e4\t"0'), maxLength: 300 })
  .map((text) => text.trim());

test("what our encoder writes, our decoder reads alike, and secrets stay never indexed", () => {
  const block = new FieldBlock();
  const head = new ReceivedHead();
  const law = fc.property(
    fc.array(fc.tuple(name, value), { maxLength: 40 }),
    value,
    (fields, path) => {
      block.request("DELETE", "https");
      block.authority("shop.example:8443");
      block.path(`/${path.replaceAll(/[^a-z0-9;=/]/gi, "")}`);
      for (const [key, text] of fields) block.add(key, text);
      block.add("authorization", "x");
      head.begin("request");
      head.arena.load(block.bytes, 0, block.length);
      assert.equal(new HpackDecoder().decode(head), "");
      head.finish();
      assert.equal(head.problem, "");
      assert.equal(
        `${head.method} ${head.scheme} ${head.authority}`,
        "DELETE https shop.example:8443",
      );
      const read = Array.from({ length: head.count }, (_, at) => [
        fieldName(head, at),
        fieldValue(head, at),
      ]);
      assert.deepEqual(read, [...fields, ["authorization", "x"]]);
      assert.equal(head.sensitive[head.count - 1], 1);
    },
  );
  fc.assert(law, { numRuns: 300 });
});
