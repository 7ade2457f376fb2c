import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseIpAddress } from "../../api/cidr.ts";
import { checkedAddress, matchRange, nftSet, nftTable } from "./nft-text.ts";

test("a table takes the place of the one before it", () => {
  const text = nftTable([
    { name: "jumped-to", rules: ["accept"] },
    {
      name: "first",
      hook: { type: "filter", at: "input", priority: -5, policy: "drop" },
      rules: ["jump jumped-to"],
    },
  ]);
  assert.equal(
    text,
    `table inet hauberk {}
delete table inet hauberk
table inet hauberk {
  chain jumped-to {
    accept
  }
  chain first {
    type filter hook input priority -5; policy drop;
    jump jumped-to
  }
}
`,
  );
});

const addresses: [written: string, family: "ip" | "ip6", text: string][] = [
  ["10.244.0.2", "ip", "10.244.0.2"],
  ["fd00:10:244:0:0:0:0:2", "ip6", "fd00:10:244::2"],
  ["FD00::", "ip6", "fd00::"],
  ["::", "ip6", "::"],
  ["::1", "ip6", "::1"],
  ["1:0:0:2:0:0:0:3", "ip6", "1:0:0:2::3"],
  ["1:0:2:3:4:5:6:7", "ip6", "1:0:2:3:4:5:6:7"],
  ["::ffff:10.0.0.1", "ip6", "::ffff:a00:1"],
];
for (const [written, family, text] of addresses) {
  test(`writes ${written} as ${text}`, () =>
    assert.deepEqual(checkedAddress(written), { family, text }));
}

for (const written of ["", "10.0.0", "10.0.0.1; drop", "fe80::1%eth0", "localhost"]) {
  test(`never writes "${written}"`, () => {
    assert.throws(() => checkedAddress(written), { code: "HAUBERK_FABRIC" });
    assert.throws(() => matchRange("daddr", { cidr: written }), { code: "HAUBERK_FABRIC" });
    assert.throws(() => matchRange("daddr", { cidr: "::/0", except: [written] }), {
      code: "HAUBERK_FABRIC",
    });
  });
}

test("an address means the same however it is written", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (written) => {
      const { text } = checkedAddress(written);
      assert.deepEqual(parseIpAddress(text), parseIpAddress(written));
    }),
  );
});

const ranges: [cidr: string, except: string[], match: string | undefined][] = [
  ["10.1.2.3/8", [], "ip saddr 10.0.0.0/8"],
  ["10.1.2.3", [], "ip saddr 10.1.2.3/32"],
  ["0.0.0.0/0", [], "meta nfproto ipv4"],
  ["::/0", ["fd00::/8"], "meta nfproto ipv6 ip6 saddr != fd00::/8"],
  [
    "10.0.0.0/8",
    ["10.1.0.0/16", "10.2.0.0/16"],
    "ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16 ip saddr != 10.2.0.0/16",
  ],
  ["10.0.0.0/8", ["0.0.0.0/0"], undefined],
  ["10.0.0.0/8", ["::/0"], "ip saddr 10.0.0.0/8"],
];
for (const [cidr, except, match] of ranges) {
  test(`matches ${cidr} without [${except}]`, () =>
    assert.equal(matchRange("saddr", { cidr, except }), match));
}

test("a set has no doubles, and is never empty", () => {
  assert.equal(nftSet([80, 443, 80]), "{ 80, 443 }");
  assert.equal(nftSet(["a", "a"]), "a");
  assert.throws(() => nftSet([]), { code: "HAUBERK_FABRIC" });
});
