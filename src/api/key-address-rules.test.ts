import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr } from "./cidr.ts";
import { keyAddressProblem } from "./key-address-rules.ts";

type Outcome = "asked" | "when listed" | "never";
const cases: [address: string, outcome: Outcome][] = [
  ["8.8.8.8", "asked"],
  ["2606:4700::1", "asked"],
  ["172.32.0.1", "asked"],
  ["127.0.0.1", "when listed"],
  ["10.1.2.3", "when listed"],
  ["172.16.0.1", "when listed"],
  ["192.168.1.5", "when listed"],
  ["100.64.0.1", "when listed"],
  ["0.0.0.0", "when listed"],
  ["224.0.0.1", "when listed"],
  ["255.255.255.255", "when listed"],
  ["::1", "when listed"],
  ["::", "when listed"],
  ["fc00::1", "when listed"],
  ["ff02::1", "when listed"],
  ["::ffff:10.0.0.1", "when listed"],
  ["64:ff9b::7f00:1", "when listed"],
  ["2002:a00:1::", "when listed"],
  ["192.88.99.1", "when listed"],
  ["::ffff:0:808:808", "when listed"],
  ["2001::1", "when listed"],
  ["2001:1ff::1", "when listed"],
  ["2001:200::1", "asked"],
  ["3fff:fff::1", "when listed"],
  ["5f00::1", "when listed"],
  ["168.63.129.16", "never"],
  ["::ffff:168.63.129.16", "never"],
  ["::ffff:0:a9fe:a9fe", "never"],
  ["169.254.169.254", "never"],
  ["::ffff:169.254.169.254", "never"],
  ["::169.254.169.254", "never"],
  ["64:ff9b::a9fe:a9fe", "never"],
  ["2002:a9fe:a9fe::1", "never"],
  ["100.100.100.200", "never"],
  ["fe80::1", "never"],
  ["fd00:ec2::254", "never"],
  ["not an address", "never"],
];
const everything = ["0.0.0.0/0", "::/0"].flatMap((text) => parseCidr(text) ?? []);

for (const [address, outcome] of cases) {
  test(`JWT-85 ${address}: ${outcome}`, () => {
    const [unlisted, listed] = [[], everything].map((list) => keyAddressProblem(address, list));
    const expected = { asked: [true, true], "when listed": [false, true], never: [false, false] };
    assert.deepEqual(
      [unlisted, listed].map((problem) => problem === undefined),
      expected[outcome],
    );
  });
}

test("what could be listed says where", () => {
  assert.match(
    keyAddressProblem("127.0.0.1", []) ?? "",
    /list it or its range in hauberk\.jwks\.allowedAddresses of the mesh configuration$/,
  );
});

test("a list opens no more than it says", () => {
  const allowed = [parseCidr("127.0.0.0/8") ?? assert.fail()];
  assert.equal(keyAddressProblem("127.0.0.53", allowed), undefined);
  assert.equal(keyAddressProblem("::ffff:127.0.0.1", allowed), undefined);
  assert.ok(keyAddressProblem("::1", allowed) !== undefined);
});
