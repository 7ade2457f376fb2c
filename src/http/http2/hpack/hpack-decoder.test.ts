import assert from "node:assert/strict";
import { test } from "node:test";
import { type Field, integer } from "../../../../test/kit/http2-frames.ts";
import type { ArenaField } from "../field-arena.ts";
import { FieldArena } from "../field-arena.ts";
import { DYNAMIC_TABLE_SIZE, MAX_BLOCK } from "../limits.ts";
import { ReceivedHead } from "../received-head.ts";
import { FieldBlock, type OutgoingFields } from "./field-block.ts";
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

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ""), "hex");

/** @returns the fields, or why the block is none */
function decode(decoder: HpackDecoder, block: Buffer): Field[] | string {
  const kept = new Kept();
  kept.arena.load(block, 0, block.length);
  return decoder.decode(kept) || kept.fields;
}

const request: Field[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];
const secure: Field[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/index.html"],
  [":authority", "www.example.com"],
];
const noCache: Field = ["cache-control", "no-cache"];
const custom: Field = ["custom-key", "custom-value"];

/** Of one connection each: the blocks change the table. */
const series: [section: string, blocks: [hex: string, fields: Field[]][]][] = [
  [
    "C.2.1",
    [
      [
        "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
        [["custom-key", "custom-header"]],
      ],
    ],
  ],
  ["C.2.2", [["040c 2f73 616d 706c 652f 7061 7468", [[":path", "/sample/path"]]]]],
  ["C.2.3", [["1008 7061 7373 776f 7264 0673 6563 7265 74", [["password", "secret"]]]]],
  ["C.2.4", [["82", [[":method", "GET"]]]]],
  [
    "C.3",
    [
      ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", request],
      ["8286 84be 5808 6e6f 2d63 6163 6865", [...request, noCache]],
      [
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        [...secure, custom],
      ],
    ],
  ],
  [
    "C.4",
    [
      ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", request],
      ["8286 84be 5886 a8eb 1064 9cbf", [...request, noCache]],
      ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", [...secure, custom]],
    ],
  ],
];
for (const [section, blocks] of series) {
  test(`RFC 7541 ${section}`, () => {
    const decoder = new HpackDecoder();
    for (const [hex, fields] of blocks) assert.deepEqual(decode(decoder, bytesOf(hex)), fields);
  });
}

/** C.5 and C.6 have a table of 256 octets, from which entries are evicted. */
const date = (second: number): Field => ["date", `Mon, 21 Oct 2013 20:13:2${second} GMT`];
const rest: Field[] = [
  ["cache-control", "private"],
  date(1),
  ["location", "https://www.example.com"],
];
const third: Field[] = [
  [":status", "200"],
  ["cache-control", "private"],
  date(2),
  ["location", "https://www.example.com"],
  ["content-encoding", "gzip"],
  ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
];
const small: [section: string, blocks: string[]][] = [
  [
    "C.5",
    [
      "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "4803 3330 37c1 c0bf",
      "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ],
  ],
  [
    "C.6",
    [
      "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
      "4883 640e ffc1 c0bf",
      "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ],
  ],
];
for (const [section, [first = "", second = "", last = ""]] of small) {
  test(`RFC 7541 ${section}: entries are evicted from a small table`, () => {
    const decoder = new HpackDecoder();
    const resized = Buffer.concat([integer(0x1f, 0x20, 256), bytesOf(first)]);
    assert.deepEqual(decode(decoder, resized), [[":status", "302"], ...rest]);
    assert.deepEqual(decode(decoder, bytesOf(second)), [[":status", "307"], ...rest]);
    assert.deepEqual(decode(decoder, bytesOf(last)), third);
  });
}

const refused: [section: string, why: string, hex: string][] = [
  ["2.3.3", "an index beyond the tables", "be"],
  ["2.3.3", "a name of an index beyond the tables", "7e 01 61"],
  ["4.2", "a size update after a field", "82 20"],
  ["4.2", "three size updates", "20 20 20 82"],
  ["5.1", "a number that is cut off", "ff"],
  ["5.1", "a number of more than 28 bits", "7f ff ff ff ff 0f"],
  ["5.1", "a number of endless zeros", "7f 80 80 80 80 80 80 01"],
  ["5.2", "a string beyond the block", "00 05 61"],
  ["5.2", "a value that is missing", "00 01 61"],
  ["5.2", "a Huffman string that is not padded by ones", "00 81 18 01 61"],
  ["6.1", "the index 0", "80"],
  ["6.3", "a size update over what we allow", "3f e2 1f"],
];
for (const [section, why, hex] of refused) {
  test(`RFC 7541 section ${section}: refuses ${why}`, () => {
    assert.equal(typeof decode(new HpackDecoder(), bytesOf(hex)), "string");
  });
}

test("RFC 7541 section 6.3: a size update to 0 empties the table", () => {
  const decoder = new HpackDecoder();
  decode(decoder, bytesOf("4001 6101 62"));
  assert.deepEqual(decode(decoder, bytesOf("be")), [["a", "b"]]);
  assert.deepEqual(decode(decoder, bytesOf("20 3f e1 1f 82")), [[":method", "GET"]]);
  assert.equal(typeof decode(decoder, bytesOf("be")), "string");
});

test("RFC 7541 section 4.4: an entry larger than the table empties it", () => {
  const decoder = new HpackDecoder();
  decode(decoder, bytesOf("4001 6101 62"));
  const value = Buffer.alloc(DYNAMIC_TABLE_SIZE, "v");
  const large = Buffer.concat([bytesOf("4001 63"), integer(0x7f, 0, value.length), value]);
  assert.deepEqual(decode(decoder, large), [["c", value.toString()]]);
  assert.equal(typeof decode(decoder, bytesOf("be")), "string");
});

test("RFC 7541 section 6.2.3: what came as never indexed goes on so, and so does every credential", () => {
  const head = new ReceivedHead();
  const block = new FieldBlock();
  const never = bytesOf("1003 782d 6101 31"); // x-a: 1
  const cookie = bytesOf("0f11 0161"); // cookie: a, as if it were no secret
  const plain = bytesOf("0003 782d 6201 32"); // x-b: 2
  head.begin("trailers");
  head.arena.load(Buffer.concat([never, plain]), 0, never.length + plain.length);
  new HpackDecoder().decode(head);
  block.trailers();
  copyAll(head, block);
  assert.equal(
    block.bytes.toString("hex", 0, block.length),
    Buffer.concat([never, plain]).toString("hex"),
  );
  head.begin("response");
  const response = Buffer.concat([bytesOf("88"), cookie]);
  head.arena.load(response, 0, response.length);
  new HpackDecoder().decode(head);
  block.response(200);
  copyAll(head, block);
  assert.equal(block.bytes.toString("hex", 0, block.length), "881f110161");
});

test("a bomb of references to one large entry costs no memory, and is told by its size (CVE-2016-1544)", () => {
  const decoder = new HpackDecoder();
  const large = Buffer.alloc(4_000, "v");
  decode(decoder, Buffer.concat([bytesOf("4001 61"), integer(0x7f, 0, large.length), large]));
  const head = new ReceivedHead();
  head.begin("trailers");
  head.arena.load(Buffer.alloc(MAX_BLOCK, 0xbe), 0, MAX_BLOCK);
  assert.equal(decoder.decode(head), "");
  assert.ok(head.isTooLarge);
  assert.ok(head.arena.end <= head.bytes.length);
});

test("a list that is too large leaves the table as the peer thinks it is", () => {
  const decoder = new HpackDecoder();
  const head = new ReceivedHead();
  const [name, value] = ["n".repeat(2_000), Buffer.alloc(30_000, "v")];
  const large = Buffer.concat([bytesOf("0001 61"), integer(0x7f, 0, value.length), value]);
  const named = Buffer.concat([
    bytesOf("40"),
    integer(0x7f, 0, name.length),
    Buffer.from(name),
    bytesOf("0162"),
  ]);
  // Each takes its name from the one before: together they would fill any memory that is set aside.
  const renamed = Buffer.concat(
    Array.from({ length: 200 }, (_, at) => Buffer.from([0x7e, 1, 0x41 + (at % 20)])),
  );
  const block = Buffer.concat([large, large, named, renamed]);
  head.begin("trailers");
  head.arena.load(block, 0, block.length);
  assert.equal(decoder.decode(head), "");
  assert.ok(head.isTooLarge);
  assert.deepEqual(decode(decoder, bytesOf("be bf")), [
    [name, "T"],
    [name, "S"],
  ]);
});

function copyAll(fields: OutgoingFields, block: FieldBlock): void {
  for (let index = 0; index < fields.count; index++) block.copy(fields, index);
}
