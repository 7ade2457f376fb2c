import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, encode } from "dns-packet";
import fc from "fast-check";
import { plainAddress } from "../api/plain-address.ts";
import { type AddressRecord, readDnsAddresses } from "./dns-message-addresses.ts";

const questions = [{ type: "A", name: "api.example" }] as const;
const reply = (answers: Answer[], flags = 0): Buffer =>
  encode({ type: "response", id: 0, flags, questions: [...questions], answers });

const alias: Answer = { type: "CNAME", name: "api.example", ttl: 9, data: "other.example" };
const ipv4: Answer = { type: "A", name: "other.example", ttl: 7, data: "192.0.2.1" };
const ipv6: Answer = { type: "AAAA", name: "other.example", ttl: 8, data: "2001:db8::1" };
const NXDOMAIN = 3;

const rows: [what: string, message: Buffer, "A" | "AAAA", readonly AddressRecord[]][] = [
  ["behind an alias", reply([alias, ipv4]), "A", [{ address: "192.0.2.1", ttlSeconds: 7 }]],
  [
    "of the type alone",
    reply([ipv6, ipv4]),
    "AAAA",
    [{ address: "2001:db8:0:0:0:0:0:1", ttlSeconds: 8 }],
  ],
  ["none of another", reply([ipv4]), "AAAA", []],
  ["none of a name that is not there", reply([ipv4], NXDOMAIN), "A", []],
  [
    "none of a question",
    encode({ type: "query", id: 0, questions: [...questions], answers: [ipv4] }),
    "A",
    [],
  ],
  ["none without the question", encode({ type: "response", id: 0, answers: [ipv4] }), "A", []],
  [
    "of half a message what was whole",
    reply([ipv4, alias, ipv4]).subarray(0, -1),
    "A",
    [{ address: "192.0.2.1", ttlSeconds: 7 }],
  ],
  ["none of nothing", Buffer.alloc(0), "A", []],
];
for (const [what, message, type, expected] of rows) {
  test(`addresses: ${what}`, () => assert.deepEqual(readDnsAddresses(message, type), expected));
}

const address = fc.record({
  type: fc.constant("A" as const),
  name: fc.domain(),
  ttl: fc.nat(),
  data: fc.ipV4(),
});
const other = fc.record({
  type: fc.constant("AAAA" as const),
  name: fc.domain(),
  ttl: fc.nat(),
  data: fc
    .array(fc.nat(0xffff), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.map((group) => group.toString(16)).join(":")),
});

test("law: whatever else an answer holds, its addresses are read as they were written", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(address, other), { maxLength: 20 }), (answers) => {
      for (const type of ["A", "AAAA"] as const) {
        const found = readDnsAddresses(reply(answers), type);
        assert.deepEqual(
          found.map((one) => ({ ...one, address: plainAddress(one.address) })),
          answers
            .filter((one) => one.type === type)
            .map(({ data, ttl }) => ({ address: plainAddress(data), ttlSeconds: ttl })),
        );
      }
    }),
    { numRuns: 200 },
  );
});

test("bytes that are no message raise no error", () => {
  const seed = reply([alias, ipv4, ipv6]);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255))), (changes) => {
      const message = Buffer.from(seed);
      for (const [at, value] of changes) message[at] = value;
      readDnsAddresses(message, "A");
    }),
    { numRuns: 2_000 },
  );
});

test("an answer costs no more than its length, wherever its names point", () => {
  const labels: Buffer[] = [Buffer.from([1, 97, 0])];
  const start = reply([]).length + 11;
  for (let at = start; labels.length < 120; at += labels.length === 2 ? 3 : 4)
    labels.push(Buffer.from([1, 97, 0xc0 | (at >> 8), at & 255]));
  const chain = Buffer.concat(labels);
  const records = Math.floor((65_000 - start - chain.length) / 16);
  const last = start + chain.length - 4;
  const record = Buffer.from([
    0xc0 | (last >> 8),
    last & 255,
    0,
    1,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    4,
    192,
    0,
    2,
    1,
  ]);
  const head = reply([]);
  head.writeUInt16BE(1 + records, 6);
  const unknown = Buffer.from([0, 0, 10, 0, 1, 0, 0, 0, 0, chain.length >> 8, chain.length & 255]);
  const message = Buffer.concat([head, unknown, chain, ...Array(records).fill(record)]);
  const startedMs = performance.now();
  for (let time = 0; time < 100; time++) assert.equal(readDnsAddresses(message, "A").length, 255);
  assert.ok(performance.now() - startedMs < 500);
});
