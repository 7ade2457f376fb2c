import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cidrContains, formatCidr, parseCidr, parseIpAddress } from "./cidr.ts";

function contains(range: string, address: string): boolean {
  const cidr = parseCidr(range);
  const bytes = parseIpAddress(address);
  assert.ok(cidr !== undefined && bytes !== undefined, `${range} or ${address} is not read`);
  return cidrContains(cidr, bytes);
}

const cases: [range: string, address: string, contained: boolean][] = [
  ["10.0.0.7/24", "10.0.0.200", true], // MV-33: host bits are masked
  ["10.0.0.7/24", "10.0.1.1", false],
  ["10.0.0.7", "10.0.0.7", true],
  ["10.0.0.7", "10.0.0.8", false],
  ["0.0.0.0/0", "255.255.255.255", true],
  ["10.128.0.0/9", "10.200.0.1", true],
  ["10.128.0.0/9", "10.127.255.255", false],
  ["192.168.0.0/31", "192.168.0.1", true],
  ["192.168.0.0/31", "192.168.0.2", false],
  ["::1", "0:0:0:0:0:0:0:1", true],
  ["fd00::/8", "fdff::1", true],
  ["fd00::/8", "fe00::1", false],
  ["2001:db8::ff/121", "2001:db8::80", true],
  ["2001:db8::ff/121", "2001:db8::7f", false],
  ["::/0", "1.2.3.4", false],
  ["0.0.0.0/0", "::ffff:1.2.3.4", false],
  ["::ffff:10.0.0.0/104", "::ffff:10.9.9.9", true],
  ["FD00::A", "fd00::a", true],
];
for (const [range, address, contained] of cases) {
  test(`AP-50a ${range} ${contained ? "contains" : "does not contain"} ${address}`, () => {
    assert.equal(contains(range, address), contained);
  });
}

const invalid = [
  "",
  "a.b.c.d",
  "1.2.3",
  "1.2.3.4.5",
  "01.2.3.4",
  "256.1.1.1",
  "1.2.3.4/",
  "1.2.3.4/33",
  "1.2.3.4/08",
  "1.2.3.4/+8",
  "1.2.3.4/-1",
  "1.2.3.4/8/8",
  "1.2.3.4/ 8",
  " 1.2.3.4",
  "::/129",
  "::1::2",
  "fe80::1%eth0",
  "fe80::%eth0/64",
  "/8",
];
for (const text of invalid) {
  test(`VAL-25 refuses "${text}"`, () => assert.equal(parseCidr(text), undefined));
}

const bitsOf = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
const ipv6Text = (bytes: readonly number[]): string =>
  Array.from({ length: 8 }, (_, group) =>
    (((bytes[group * 2] ?? 0) << 8) | (bytes[group * 2 + 1] ?? 0)).toString(16),
  ).join(":");

const families = [
  { family: "IPv4", size: 4, text: (bytes: readonly number[]) => bytes.join(".") },
  { family: "IPv6", size: 16, text: ipv6Text },
];
for (const { family, size, text } of families) {
  test(`law: ${family} containment is equality of the leading bits`, () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const address = fc.array(byte, { minLength: size, maxLength: size });
    const prefix = fc.integer({ min: 0, max: size * 8 });
    const flipped = fc.option(fc.integer({ min: 0, max: size * 8 - 1 }));
    let contained = 0;
    fc.assert(
      fc.property(address, prefix, flipped, (network, length, flip) => {
        const other = network.map((value, index) =>
          flip !== null && flip >> 3 === index ? value ^ (0x80 >> (flip & 7)) : value,
        );
        const expected = bitsOf(network).slice(0, length) === bitsOf(other).slice(0, length);
        if (expected) contained++;
        assert.equal(contains(`${text(network)}/${length}`, text(other)), expected);
      }),
      { numRuns: 500 },
    );
    assert.ok(contained > 50 && contained < 450, `${contained} of 500 were contained`);
  });
}

test("law: shortened IPv6 text reads as the full text", () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(fc.array(group, { maxLength: 7 }), fc.nat({ max: 7 }), (groups, at) => {
      const cut = Math.min(at, groups.length);
      const words = groups.map((value) => value.toString(16));
      const short = `${words.slice(0, cut).join(":")}::${words.slice(cut).join(":")}`;
      const zeros = Array<string>(8 - words.length).fill("0");
      const full = [...words.slice(0, cut), ...zeros, ...words.slice(cut)].join(":");
      assert.deepEqual(parseIpAddress(short), parseIpAddress(full));
      assert.notEqual(parseIpAddress(full), undefined);
    }),
  );
});

test("law: what is written of a range is read as the same range", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 32 }), (network, length) => {
      const range = parseCidr(`${network}/${length}`);
      assert.ok(range !== undefined);
      assert.deepEqual(parseCidr(formatCidr(range)), range);
    }),
  );
});
