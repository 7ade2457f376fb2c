import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Cidr, parseCidr } from "../../api/cidr.ts";
import { refusalOf } from "./host-gate-destinations.ts";

const table: [address: string, refusal: string | undefined][] = [
  ["192.0.2.1", undefined],
  ["10.0.0.1", undefined],
  ["10.97.0.1", undefined],
  ["192.168.1.1", undefined],
  ["2001:db8::1", undefined],
  ["fd00:10:245::1", undefined],
  ["127.0.0.1", "refused-loopback"],
  ["127.255.255.254", "refused-loopback"],
  ["::1", "refused-loopback"],
  ["0.0.0.0", "refused-unspecified"],
  ["0.1.2.3", "refused-unspecified"],
  ["::", "refused-unspecified"],
  ["169.254.169.254", "refused-link-local"],
  ["fe80::1", "refused-link-local"],
  ["febf::1", "refused-link-local"],
  ["224.0.0.1", "refused-multicast"],
  ["239.255.255.255", "refused-multicast"],
  ["ff02::1", "refused-multicast"],
  ["255.255.255.255", "refused-reserved"],
  ["240.0.0.1", "refused-reserved"],
  ["10.244.0.1", "refused-mesh-address"],
  ["10.244.255.255", "refused-mesh-address"],
  ["10.96.3.4", "refused-mesh-address"],
  ["fd00:10:244::9", "refused-mesh-address"],
  ["fd00:10:96::9", "refused-mesh-address"],
  ["fd00:ec2::254", "refused-metadata"],
  ["fd20:ce::254", "refused-metadata"],
  ["fd00:42::42", "refused-metadata"],
  ["100.100.100.200", "refused-metadata"],
  ["::ffff:168.63.129.16", "refused-metadata"],
  ["fd00:ec2::253", undefined],
  ["100.100.100.201", undefined],
  ["::ffff:127.0.0.1", "refused-loopback"],
  ["::ffff:7f00:1", "refused-loopback"],
  ["0:0:0:0:0:ffff:10.244.0.1", "refused-mesh-address"],
  ["::ffff:192.0.2.1", undefined],
  ["::127.0.0.1", "refused-loopback"],
  ["::ffff:0:127.0.0.1", "refused-loopback"],
  ["64:ff9b::169.254.169.254", "refused-link-local"],
  ["64:ff9b::192.0.2.1", undefined],
  ["2002:7f00:1::", "refused-loopback"],
  ["2002:c000:201::", undefined],
  ["fe80::1%eth0", "malformed-address"],
  ["127.1", "malformed-address"],
  ["2130706433", "malformed-address"],
  ["0x7f000001", "malformed-address"],
  ["localhost", "malformed-address"],
  ["shop/api", "malformed-address"],
  ["", "malformed-address"],
];
for (const [address, refusal] of table) {
  test(`${address || "nothing"}: ${refusal ?? "may be reached"}`, () => {
    assert.equal(refusalOf(address), refusal);
  });
}

function range(text: string): Cidr {
  const cidr = parseCidr(text);
  assert.ok(cidr);
  return cidr;
}

const exceptions: [allowed: string, address: string, refusal: string | undefined][] = [
  ["127.0.0.1/32", "127.0.0.1", undefined],
  ["127.0.0.1/32", "::ffff:127.0.0.1", undefined],
  ["127.0.0.1/32", "127.0.0.2", "refused-loopback"],
  ["127.0.0.1/32", "::1", "refused-loopback"],
  ["::1/128", "::1", undefined],
  ["::/0", "::ffff:127.0.0.1", "refused-loopback"],
];
for (const [allowed, address, refusal] of exceptions) {
  test(`with ${allowed} allowed, ${address}: ${refusal ?? "may be reached"}`, () => {
    assert.equal(refusalOf(address, { allowed: [range(allowed)] }), refusal);
  });
}

test("law: an IPv4 address means the same in every IPv6 form of it", () => {
  const ipv4 = fc.oneof(
    fc.ipV4(),
    fc.constantFrom("127.0.0.1", "10.244.7.7", "169.254.1.1", "224.0.0.251"),
  );
  fc.assert(
    fc.property(ipv4, fc.constantFrom("::ffff:", "64:ff9b::"), (address, prefix) => {
      assert.equal(refusalOf(`${prefix}${address}`), refusalOf(address));
    }),
  );
});
