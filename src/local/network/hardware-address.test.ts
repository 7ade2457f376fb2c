import assert from "node:assert/strict";
import { test } from "node:test";
import { hardwareAddress } from "./hardware-address.ts";

test("a hardware address follows from the IPv4 address", () => {
  assert.equal(hardwareAddress("10.244.0.2"), "0a:58:0a:f4:00:02");
  assert.equal(hardwareAddress("10.244.255.17"), "0a:58:0a:f4:ff:11");
});
