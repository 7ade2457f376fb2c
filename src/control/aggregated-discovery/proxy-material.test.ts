import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../runtime/log.ts";
import { PACKING, PACKING_HEADER, unpackedMessage } from "../../wire/envoy/packed-messages.ts";
import type { Caller } from "../../wire/grpc-service.ts";
import { openProxyMaterial } from "./proxy-material.ts";
import { plainResponse } from "./response-packing.ts";

const RESPONSE = {
  resources: [Buffer.from(`\n${"cluster ".repeat(1_000)}`)],
  rest: Buffer.from("\nend"),
};

function callerWith(values: readonly string[]): Caller {
  const headers = (name: string) => (name === PACKING_HEADER ? values : []);
  return { remoteAddress: "127.0.0.1:1", headers };
}

const { packingFor } = openProxyMaterial(silentLog);

test("who says that it unpacks by the same dictionary is sent what is packed", () => {
  const packed = packingFor(callerWith([PACKING]))(RESPONSE);
  assert.ok(packed.length < 500, String(packed.length));
  assert.deepEqual(Buffer.from(unpackedMessage(packed, 100_000)), plainResponse(RESPONSE));
});

for (const values of [[], ["deflate-1"], [`${PACKING}0`], ["gzip"]]) {
  test(`who says ${JSON.stringify(values)} is sent what is plain: it might read something else`, () => {
    assert.deepEqual(packingFor(callerWith(values))(RESPONSE), plainResponse(RESPONSE));
  });
}
