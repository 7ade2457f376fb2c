import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  type PacketOpt,
} from "dns-packet";
import fc from "fast-check";
import { nameTableOf } from "../policy/name-table.ts";
import { answerDnsQuery } from "./dns-answer.ts";
import { composeDnsReply, type DnsQuery, parseDnsQuery } from "./dns-message.ts";

const RECURSION_DESIRED = 0x0100;

function encoded(packet: Partial<Packet> = {}): Buffer {
  const questions = [{ type: "A", name: "Api.Shop.svc.cluster.local" } as const];
  return encode({ type: "query", id: 7, flags: RECURSION_DESIRED, questions, ...packet });
}

function extension(fields: Partial<OptAnswer>): OptAnswer {
  const none = { extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] };
  return { type: "OPT", name: ".", udpPayloadSize: 1_232, ...none, ...fields };
}

function parsed(message: Buffer): DnsQuery {
  const query = parseDnsQuery(message);
  assert.ok(query !== "ignore" && !("faulty" in query), "it is a query");
  return query;
}

test("RFC 4343: names are read without regard to case, and the case is kept", () => {
  const { name, askedName, type, recordClass } = parsed(encoded());
  assert.deepEqual([name, type, recordClass], ["api.shop.svc.cluster.local", "A", "IN"]);
  assert.equal(askedName, "Api.Shop.svc.cluster.local");
});

const sizes: [what: string, additionals: OptAnswer[], udpBytes: number][] = [
  ["without EDNS0", [], 512],
  ["as the client says", [extension({})], 1_232],
  ["never less than 512", [extension({ udpPayloadSize: 100 })], 512],
  ["never more than 4096", [extension({ udpPayloadSize: 65_535 })], 4_096],
];
for (const [what, additionals, udpBytes] of sizes) {
  test(`RFC 6891 6.2.3: answers over UDP may have ${udpBytes} bytes: ${what}`, () => {
    assert.equal(parsed(encoded({ additionals })).udpBytes, udpBytes);
  });
}

function withByte(message: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(message);
  changed[at] = value;
  return changed;
}

const question = { type: "A", name: "a.test" } as const;
const record = { type: "A", name: "a.test", data: "192.0.2.1" } as const;
const faulty: [what: string, message: Buffer, code: number][] = [
  ["no question", encoded({ questions: [] }), 1],
  ["two questions", encoded({ questions: [question, question] }), 1],
  ["a question cut short", encoded().subarray(0, 20), 1],
  ["an answer within a query", encoded({ answers: [record] }), 1],
  ["an additional record cut short", withByte(encoded(), 11, 1), 1],
  ["two OPT records", encoded({ additionals: [extension({}), extension({})] }), 1],
  ["too many additional records", encoded({ additionals: Array(5).fill(record) }), 1],
  ["another opcode", withByte(encoded(), 2, 0x28), 4],
];
for (const [what, message, code] of faulty) {
  test(`RFC 1035 4.1.1: ${what} gets the response code ${code}`, () => {
    const reply = parseDnsQuery(message);
    assert.ok(reply !== "ignore" && "faulty" in reply);
    assert.deepEqual([reply.faulty.readUInt16BE(0), (reply.faulty[3] ?? 0) & 0xf], [7, code]);
  });
}

test("a response, and what has no header, are left without an answer", () => {
  assert.equal(parseDnsQuery(encoded({ type: "response" })), "ignore");
  assert.equal(parseDnsQuery(Buffer.alloc(11)), "ignore");
});

function composed(message: Buffer, reply: Parameters<typeof composeDnsReply>[1]): DecodedPacket {
  return decode(composeDnsReply(parsed(message), reply, { ttlSeconds: 5 }));
}

test("an answer repeats the question with its case, and carries records for five seconds", () => {
  const reply = composed(encoded(), {
    code: "NOERROR",
    records: [
      { type: "A", address: "10.96.0.1" },
      { type: "AAAA", address: "fd00:10:96::1" },
    ],
  });
  const { id, flag_qr, flag_aa, flag_rd, flag_ra, flag_tc, answers = [] } = reply;
  assert.deepEqual(
    { id, flag_qr, flag_aa, flag_rd, flag_ra, flag_tc },
    { id: 7, flag_qr: true, flag_aa: true, flag_rd: true, flag_ra: true, flag_tc: false },
  );
  const name = "Api.Shop.svc.cluster.local";
  assert.deepEqual(reply.questions, [{ type: "A", name, class: "IN" }]);
  assert.deepEqual(reply.additionals, []);
  const rest = { name, ttl: 5, class: "IN", flush: false };
  assert.deepEqual(answers, [
    { type: "A", data: "10.96.0.1", ...rest },
    { type: "AAAA", data: "fd00:10:96::1", ...rest },
  ]);
});

test("RFC 2308: that there is nothing may be remembered as long as the zone's SOA says", () => {
  const reply = composed(encoded(), { code: "NXDOMAIN", records: [], zone: "cluster.local" });
  assert.equal((reply.flags ?? 0) & 0xf, 3);
  const [authority] = reply.authorities ?? [];
  assert.ok(authority?.type === "SOA");
  assert.deepEqual(
    [authority.name, authority.ttl, authority.data.minimum],
    ["cluster.local", 5, 5],
  );
});

test("RFC 6891: an OPT record is answered by one, an unknown version by BADVERS", () => {
  const reply = { code: "NOERROR", records: [] } as const;
  const extensionOf = (ednsVersion: number): OptAnswer => {
    const additionals = [extension({ ednsVersion })];
    const [own] = composed(encoded({ additionals }), reply).additionals ?? [];
    assert.ok(own?.type === "OPT");
    return own;
  };
  assert.deepEqual([extensionOf(0).extendedRcode, extensionOf(0).udpPayloadSize], [0, 1_232]);
  assert.equal(extensionOf(1).extendedRcode, 1);
});

const EMPTY = nameTableOf([]);

/** The whole way that a message takes as long as nobody else is asked. */
function answered(message: Buffer): Buffer | undefined {
  const query = parseDnsQuery(message);
  if (query === "ignore") return undefined;
  if ("faulty" in query) return query.faulty;
  const reply = answerDnsQuery(query, { table: EMPTY, reverseNames: new Map(), turn: 0 });
  return reply === "forward" ? undefined : composeDnsReply(query, reply, { ttlSeconds: 5 });
}

function isResponseTo(message: Buffer, reply: Buffer | undefined): void {
  if (reply === undefined) return;
  assert.equal(reply.readUInt16BE(0), message.readUInt16BE(0));
  assert.equal(decode(reply).flag_qr, true);
}

test("law: random bytes never raise an error, and no answer is malformed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      isResponseTo(Buffer.from(bytes), answered(Buffer.from(bytes)));
    }),
    { numRuns: 2_000 },
  );
});

test("law: nor do queries in which bytes were changed, cut or added", () => {
  const padding: PacketOpt = { code: 12, type: "PADDING", length: 12 };
  const seed = encoded({ additionals: [extension({ options: [padding] })] });
  const change = fc.tuple(fc.nat(seed.length - 1), fc.nat(255));
  let answers = 0;
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 6 }),
      fc.nat(40),
      fc.uint8Array(),
      (changes, cut, tail) => {
        const message = Buffer.concat([seed.subarray(0, seed.length - cut), tail]);
        for (const [at, value] of changes) if (at < message.length) message[at] = value;
        const reply = answered(message);
        if (reply !== undefined) answers++;
        isResponseTo(message, reply);
      },
    ),
    { numRuns: 5_000 },
  );
  assert.ok(answers > 1_000, "many are still answered");
});
