import assert from "node:assert/strict";
import { test } from "node:test";
import { plainAddress, statedAddress } from "./plain-address.ts";

const cases: [written: string, plain: string | undefined][] = [
  ["10.1.2.3", "10.1.2.3"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
  ["::FFFF:10.1.2.3", "10.1.2.3"],
  ["::ffff:10.244.110.12", "10.244.110.12"],
  ["::ffff:a01:203", "10.1.2.3"],
  ["0:0:0:0:0:ffff:10.1.2.3", "10.1.2.3"],
  ["2001:DB8:0:0::1", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["::1", "::1"],
  ["", undefined],
  ["unknown", undefined],
  ["10.1.2.3:4711", undefined],
  ["10.1.2", undefined],
  ["010.1.2.3", undefined],
  ["[::1]", undefined],
  ["::ffff:10.1.2.3.4", undefined],
];
for (const [written, plain] of cases) {
  test(`AP-50a: "${written}" is ${plain ?? "no address"}`, () => {
    assert.equal(plainAddress(written), plain);
  });
}

test("AP-50a: what is stated as an address of IPv6 stays one", () => {
  assert.equal(statedAddress("::FFFF:10.1.2.3"), "::ffff:10.1.2.3");
  assert.equal(statedAddress("10.1.2.3"), "10.1.2.3");
  assert.equal(statedAddress("unknown"), undefined);
});
