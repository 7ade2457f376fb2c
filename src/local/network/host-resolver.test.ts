import assert from "node:assert/strict";
import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { freePort } from "../../../test/kit/free-port.ts";
import { recordedLog } from "../../../test/kit/recorded-log.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import {
  dnsFailure,
  dnsTruncation,
  readDnsEnvelope,
  withDnsId,
} from "../../runtime/dns-envelope.ts";
import { serveDnsStream } from "../../runtime/dns-stream.ts";
import { silentLog } from "../../runtime/log.ts";
import { HostResolver, parseNameServers } from "./host-resolver.ts";

const closing: (() => unknown)[] = [];
after(() => {
  for (const close of closing) close();
});

/** For `A` of one label. */
function queryFor(label: string): Buffer {
  const name = Buffer.from(`${String.fromCharCode(label.length)}${label}\0`);
  const header = Buffer.from("4d2a01000001000000000000", "hex");
  return Buffer.concat([header, name, Buffer.from([0, 1, 0, 1])]);
}

/** As a server would that knows the name: the query, marked as a response without an error. */
function answerTo(query: Buffer): Buffer {
  const answer = dnsFailure(query, "NOERROR");
  answer.writeUInt16BE(answer.readUInt16BE(2) & ~0x0100, 2);
  return answer;
}

interface Behaviour {
  /** Everything that is sent back over UDP. */
  readonly udp: (query: Buffer, asked: number) => readonly Buffer[];
  readonly tcp?: (query: Buffer) => Buffer;
}

async function nameServer({ udp, tcp }: Behaviour): Promise<SocketAddress & { asked(): number }> {
  const port = await freePort();
  let asked = 0;
  const socket = createSocket("udp4", (query: Buffer, client: RemoteInfo) => {
    asked++;
    for (const reply of udp(query, asked)) socket.send(reply, client.port, client.address);
  });
  await once(socket.bind(port, "127.0.0.1"), "listening");
  const server = createServer({ allowHalfOpen: true }, (connection) =>
    serveDnsStream(connection, {
      answer: async (query) => tcp?.(query),
      maxQueryBytes: 512,
      maxOwed: 4,
      idleMs: 5_000,
    }),
  );
  await once(server.listen(port, "127.0.0.1"), "listening");
  closing.push(
    () => socket.close(),
    () => server.close(),
  );
  return { address: "127.0.0.1", port, asked: () => asked };
}

function resolver(...servers: SocketAddress[]): HostResolver {
  return new HostResolver({ nameServers: async () => servers, tryTimeoutMs: 150, log: silentLog });
}

const known: Behaviour = { udp: (query) => [answerTo(query)] };
const silent: Behaviour = { udp: () => [] };
const failing = (code: "SERVFAIL" | "REFUSED" | "NXDOMAIN"): Behaviour => ({
  udp: (query) => [dnsFailure(query, code)],
});
const responseCode = (reply: Buffer | undefined): number | undefined =>
  reply && readDnsEnvelope(reply)?.responseCode;

test("the first name server's answer comes back under the query's own id", async () => {
  const ids = new Set<number>();
  const [first, second] = [
    await nameServer({
      udp(query) {
        ids.add(query.readUInt16BE(0));
        return [answerTo(query)];
      },
    }),
    await nameServer(known),
  ];
  const made = resolver(first, second);
  for (let time = 0; time < 20; time++) {
    assert.deepEqual(await made.resolve(queryFor("a")), answerTo(queryFor("a")));
  }
  assert.ok(ids.size > 10, "each time under an id that nobody can know");
  assert.equal(second.asked(), 0);
});

for (const [what, behaviour] of [
  ["fails", failing("SERVFAIL")],
  ["refuses", failing("REFUSED")],
  ["is silent", silent],
] as const) {
  test(`when one ${what} the next is asked`, async () => {
    const [first, second] = [await nameServer(behaviour), await nameServer(known)];
    assert.deepEqual(await resolver(first, second).resolve(queryFor("a")), answerTo(queryFor("a")));
    assert.deepEqual([first.asked(), second.asked()], [1, 1]);
  });
}

test("where nobody listens the next is asked at once", async () => {
  const nobody = { address: "127.0.0.1", port: await freePort() };
  const second = await nameServer(known);
  const patient = new HostResolver({
    nameServers: async () => [nobody, second],
    tryTimeoutMs: 20_000,
    log: silentLog,
  });
  assert.deepEqual(await patient.resolve(queryFor("a")), answerTo(queryFor("a")));
});

test("where no way leads to, as without any network, the next is asked at once", async () => {
  // Connecting there fails within the call: nobody asked to broadcast.
  const unreachable = { address: "255.255.255.255", port: 53 };
  const second = await nameServer(known);
  assert.deepEqual(
    await resolver(unreachable, second).resolve(queryFor("a")),
    answerTo(queryFor("a")),
  );
});

test("that a name does not exist is an answer", async () => {
  const [first, second] = [await nameServer(failing("NXDOMAIN")), await nameServer(known)];
  assert.equal(responseCode(await resolver(first, second).resolve(queryFor("a"))), 3);
  assert.equal(second.asked(), 0);
});

test("a lost datagram is asked again", async () => {
  const lossy = await nameServer({ udp: (query, asked) => (asked === 1 ? [] : [answerTo(query)]) });
  assert.deepEqual(await resolver(lossy).resolve(queryFor("a")), answerTo(queryFor("a")));
});

test("a truncated answer is asked for again over TCP", async () => {
  const server = await nameServer({
    udp: (query) => [dnsTruncation(query)],
    tcp: (query) => Buffer.concat([answerTo(query), Buffer.alloc(20_000)]),
  });
  const reply = await resolver(server).resolve(queryFor("a"));
  assert.deepEqual(reply, Buffer.concat([answerTo(queryFor("a")), Buffer.alloc(20_000)]));
});

test("what is no answer to the question is not taken: other ids, other names, echoes, garbage", async () => {
  const server = await nameServer({
    udp: (query) => [
      withDnsId(answerTo(query), (query.readUInt16BE(0) + 1) & 0xffff),
      withDnsId(answerTo(queryFor("b")), query.readUInt16BE(0)),
      query,
      Buffer.from("garbage"),
      answerTo(query),
    ],
  });
  assert.deepEqual(await resolver(server).resolve(queryFor("a")), answerTo(queryFor("a")));
});

test("without any answer it is SERVFAIL, told once until there is one again", async () => {
  const log = recordedLog();
  let servers: SocketAddress[] = [await nameServer(silent)];
  const nameServers = async (): Promise<SocketAddress[]> => servers;
  const made = new HostResolver({ nameServers, tryTimeoutMs: 30, log });
  for (let time = 0; time < 2; time++) {
    assert.equal(responseCode(await made.resolve(queryFor("a"))), 2);
  }
  assert.equal(log.find("no name server of the host answers").length, 1);
  servers = [await nameServer(known)];
  assert.equal(responseCode(await made.resolve(queryFor("a"))), 0);
  servers = [];
  assert.equal(responseCode(await made.resolve(queryFor("a"))), 2);
  assert.equal(log.find("no name server of the host answers").length, 2);
});

test("the failure a server gave is passed on when no other knows more", async () => {
  const [first, second] = [await nameServer(failing("REFUSED")), await nameServer(silent)];
  assert.equal(responseCode(await resolver(first, second).resolve(queryFor("a"))), 5);
});

test("an unreadable resolv.conf, malformed queries and responses raise no error", async () => {
  const nameServers = (): Promise<never> => Promise.reject(new Error("no such file"));
  const made = new HostResolver({ nameServers, log: silentLog });
  assert.equal(responseCode(await made.resolve(queryFor("a"))), 2);
  assert.equal(responseCode(await made.resolve(queryFor("a").subarray(0, 14))), 1);
  assert.equal(await made.resolve(answerTo(queryFor("a"))), undefined);
  assert.equal(await made.resolve(Buffer.alloc(3)), undefined);
});

test("resolv.conf(5): the first three name servers count, whatever else is said", () => {
  const text = [
    "# nameserver 192.0.2.9",
    "search example.com",
    "nameserver 192.0.2.1",
    "nameserver\t2001:db8::1   # with a comment",
    "nameserver not-an-address",
    " nameserver 192.0.2.8",
    "options timeout:1",
    "nameserver fe80::1%eth0",
    "nameserver 192.0.2.4",
  ].join("\n");
  assert.deepEqual(
    parseNameServers(text).map(({ address, port }) => `${address} ${port}`),
    ["192.0.2.1 53", "2001:db8::1 53", "fe80::1%eth0 53"],
  );
});
