import assert from "node:assert/strict";
import { test } from "node:test";
import {
  mostUnpacked,
  packedMessage,
  packedPart,
  unpackedMessage,
} from "../../wire/envoy/packed-messages.ts";
import type { WrittenResponse } from "./proxy-protocol.ts";
import { plainResponse, ResponsePacking } from "./response-packing.ts";

/** As long as a cluster is. */
function resourceOf(name: string): Uint8Array {
  return Buffer.from(`\n${name} ${"and so on ".repeat(100)}`);
}

const SHARED: readonly Uint8Array[] = Array.from({ length: 500 }, (_, index) =>
  resourceOf(`shared-${index}`),
);
const REST = Buffer.from("\ntype and nonce");

/** Counts what is packed anew. */
function counted() {
  const packed: number[] = [];
  const packing = new ResponsePacking({
    packedMessage,
    mostUnpacked,
    packedPart: (resources, place) => {
      packed.push(resources.length);
      return packedPart(resources, place);
    },
  });
  return { packed, packing };
}

function unpacked(bytes: Uint8Array): Buffer {
  return Buffer.from(unpackedMessage(bytes, 10_000_000));
}

function assertSame(packing: ResponsePacking, response: WrittenResponse): void {
  assert.deepEqual(unpacked(packing.pack(response)), Buffer.from(plainResponse(response)));
}

test("whatever is packed comes out as it was, and smaller", () => {
  const { packing } = counted();
  for (const resources of [SHARED, SHARED.slice(0, 3), [], [resourceOf("alone"), ...SHARED]])
    assertSame(packing, { resources, rest: REST });
  const removals = { resources: [], rest: Buffer.from(`\n${"gone ".repeat(50_000)}`) };
  assertSame(packing, removals);
  const whole = { resources: SHARED, rest: REST };
  assert.ok(packing.pack(whole).length < plainResponse(whole).length / 10);
});

test("what a receiver would not unpack is sent as it is", () => {
  const { packing } = counted();
  const response = { resources: [Buffer.alloc(2 * 1024 * 1024, "\n")], rest: REST };
  assert.deepEqual(packing.pack(response), plainResponse(response));
});

test("what is short is sent as it is", () => {
  const { packing, packed } = counted();
  const response = { resources: [Buffer.from("\nshort")], rest: REST };
  assert.deepEqual(packing.pack(response), plainResponse(response));
  assert.deepEqual(packed, []);
});

test("what many are sent is packed once, also where some of it is each one's own", () => {
  const { packing, packed } = counted();
  packing.pack({ resources: SHARED, rest: REST });
  const first = packed.length;
  assert.equal(
    packed.reduce((sum, length) => sum + length, 0),
    SHARED.length,
  );
  packing.pack({ resources: [...SHARED], rest: Buffer.from("\nanother nonce") });
  assert.equal(packed.length, first);
  const own = { resources: [resourceOf("own"), ...SHARED], rest: REST };
  assertSame(packing, own);
  assert.equal(packed.length, first + 1, "the part in which its own stand");
});
