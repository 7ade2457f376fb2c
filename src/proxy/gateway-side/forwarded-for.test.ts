import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clientAddress, extended } from "./forwarded-for.ts";

const address = fc.ipV4();
const direct = "192.0.2.9";

test("AP-51a: of so many trusted proxies the farthest counts, whatever lies behind it", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."0123456789., :x") }),
      fc.array(address, { minLength: 1, maxLength: 6 }),
      (forged, told) => {
        const received = [forged, ...told].join(",");
        const found = clientAddress(received, { direct, trustedProxies: told.length });
        assert.equal(found, told[0]);
      },
    ),
  );
});

test("no proxy is trusted: the connection's own address counts", () => {
  fc.assert(
    fc.property(fc.string(), (received) => {
      assert.equal(clientAddress(received, { direct, trustedProxies: 0 }), direct);
    }),
  );
});

test("fewer than there should be, or no address: the connection's own", () => {
  for (const received of [undefined, "", ",", "203.0.113.1", "x, 203.0.113.1", "[::1]:80, 1.2.3.4"])
    assert.equal(clientAddress(received, { direct, trustedProxies: 2 }), direct, received);
});

test("addresses of IPv6 are read, and spaces around them are not", () => {
  const found = clientAddress(" 2001:DB8::1 , 10.0.0.1", { direct, trustedProxies: 2 });
  assert.equal(found.toLowerCase(), "2001:db8::1");
});

test("what came stays, and ours stands behind it", () => {
  assert.equal(extended(undefined, direct), direct);
  assert.equal(extended("", direct), direct);
  assert.equal(extended("1.2.3.4", direct), `1.2.3.4,${direct}`);
});
