/** Asked by Node's own resolver (c-ares), which speaks to us as programs do, and by hand for what no resolver sends. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import { type RecordedLog, recordedLog } from "../../test/kit/recorded-log.ts";
import { sampleDestination } from "../../test/kit/sample-destination.ts";
import { nameTableOf } from "../policy/name-table.ts";
import type { Destination } from "../policy/workload-view.ts";
import { dnsFailure, readDnsEnvelope } from "../runtime/dns-envelope.ts";
import { frameDnsMessage, readDnsMessages } from "../runtime/dns-stream.ts";
import { ListenError } from "../runtime/listen-error.ts";
import { reverseNamesOf } from "./dns-reverse-names.ts";
import { DnsServer, type DnsServerOptions } from "./dns-server.ts";

const servers: DnsServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

const many = Array.from({ length: 200 }, (_, index) => `10.244.1.${index}`);
const DESTINATIONS: readonly Destination[] = [
  sampleDestination({
    service: "shop/api",
    port: 80,
    addresses: ["10.96.0.7", "fd00:10:96::7"],
    endpoints: [],
  }),
  sampleDestination({
    service: "shop/pair",
    port: 80,
    addresses: ["10.96.0.1", "10.96.0.2"],
    endpoints: [],
  }),
  sampleDestination({ service: "shop/many", port: 80, addresses: many, endpoints: [] }),
];

interface Served {
  readonly port: number;
  readonly resolver: Resolver;
  readonly log: RecordedLog;
}

/** By default nobody else is to be asked: that alone fails a test. */
async function serve(options: Partial<DnsServerOptions> = {}): Promise<Served> {
  const port = await freePort();
  const log = recordedLog();
  const table = nameTableOf(DESTINATIONS);
  const reverse = reverseNamesOf(DESTINATIONS);
  const server = new DnsServer({
    listen: [{ address: "127.0.0.1", port }],
    table: () => table,
    reverseNames: () => reverse,
    namespace: "shop",
    forward: () => assert.fail("nobody else is to be asked"),
    log,
    ...options,
  });
  await server.open();
  servers.push(server);
  const resolver = new Resolver({ timeout: 5_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  return { port, resolver, log };
}

const code = (expected: string) => (error: Error & { code?: string }) => error.code === expected;

test("services are found by every form of their name, in both families", async () => {
  const { resolver } = await serve();
  for (const name of ["api.shop.svc.cluster.local", "API.shop.svc", "api.shop", "api"]) {
    assert.deepEqual(await resolver.resolve4(name, { ttl: true }), [
      { address: "10.96.0.7", ttl: 5 },
    ]);
    assert.deepEqual(await resolver.resolve6(name), ["fd00:10:96::7"]);
  }
});

test("localhost is the pod's own loopback (RFC 6761 6.3), and addresses have names", async () => {
  const { resolver } = await serve();
  assert.deepEqual(await resolver.resolve4("localhost"), ["127.0.0.1"]);
  assert.deepEqual(await resolver.resolve6("www.localhost"), ["::1"]);
  assert.deepEqual(await resolver.reverse("10.96.0.7"), ["api.shop.svc.cluster.local"]);
  assert.deepEqual(await resolver.reverse("fd00:10:96::7"), ["api.shop.svc.cluster.local"]);
});

test("a name without such a record is told apart from no name (RFC 2308 2.2)", async () => {
  const { resolver } = await serve();
  await assert.rejects(resolver.resolve6("pair.shop.svc.cluster.local"), code("ENODATA"));
  await assert.rejects(resolver.resolveMx("api.shop.svc.cluster.local"), code("ENODATA"));
  await assert.rejects(resolver.resolve4("none.shop.svc.cluster.local"), code("ENOTFOUND"));
  await assert.rejects(resolver.resolve4("example.com.shop.svc.cluster.local"), code("ENOTFOUND"));
  await assert.rejects(resolver.reverse("10.244.3.4"), code("ENOTFOUND"));
});

test("each address comes first in its turn", async () => {
  const { resolver } = await serve();
  const first = new Set<string | undefined>();
  for (let turn = 0; turn < 4; turn++) {
    const [address, ...others] = await resolver.resolve4("pair.shop");
    assert.equal(others.length, 1);
    first.add(address);
  }
  assert.deepEqual([...first].sort(), ["10.96.0.1", "10.96.0.2"]);
});

test("an answer too long for UDP is truncated, and whole over TCP", async () => {
  const { resolver, port } = await serve();
  const addresses = await resolver.resolve4("many.shop.svc.cluster.local");
  assert.deepEqual(addresses.sort(), [...many].sort());
  const [reply] = await exchangeUdp(port, [queryFor("many.shop.svc.cluster.local")]);
  assert.ok(reply !== undefined && reply.length <= 512);
  assert.equal(readDnsEnvelope(reply)?.truncation, "truncated");
});

test("other names are asked of somebody else, with the very bytes, and so is the answer", async () => {
  const asked: Buffer[] = [];
  const { port } = await serve({
    async forward(query) {
      asked.push(query);
      return Buffer.concat([dnsFailure(query, "REFUSED"), Buffer.from("and more")]);
    },
  });
  const query = queryFor("wWw.example.COM");
  const [reply] = await exchangeUdp(port, [query]);
  assert.deepEqual(asked, [query]);
  assert.deepEqual(reply, Buffer.concat([dnsFailure(query, "REFUSED"), Buffer.from("and more")]));
  assert.equal(reply?.includes("wWw"), true);
});

test("an answer of somebody else that is too long for UDP is truncated as well", async () => {
  const forward = async (query: Buffer): Promise<Buffer> =>
    Buffer.concat([query, Buffer.alloc(600)]);
  const { port } = await serve({ forward });
  const [reply] = await exchangeUdp(port, [queryFor("example.com")]);
  assert.equal(reply && readDnsEnvelope(reply)?.truncation, "truncated");
});

test("no answer, an error, and too many at once give SERVFAIL, and a bounded log", async () => {
  const failures: DnsServerOptions["forward"][] = [
    async () => undefined,
    () => Promise.reject(new Error("the wire is cut")),
  ];
  for (const forward of failures) {
    const { resolver, log } = await serve({ forward });
    await assert.rejects(resolver.resolve4("example.com"), code("ESERVFAIL"));
    assert.equal(log.find("name not resolved").length, 1);
  }
  let waiting = 0;
  const forward = (): Promise<undefined> => {
    waiting++;
    return new Promise(() => {});
  };
  const { port } = await serve({ forward });
  const replies = await exchangeUdp(port, Array(300).fill(queryFor("example.com")), 300 - 256);
  assert.deepEqual(
    new Set(replies.map((reply) => readDnsEnvelope(reply)?.responseCode)),
    new Set([2]),
  );
  assert.equal(waiting, 256);
});

test("other classes and whole zones are refused", async () => {
  const { port } = await serve();
  const [chaos, transfer] = [queryFor("version.bind", 16), queryFor("cluster.local", 252)];
  chaos[chaos.length - 1] = 3;
  for (const query of [chaos, transfer]) {
    const [reply] = await exchangeUdp(port, [query]);
    assert.equal(reply && readDnsEnvelope(reply)?.responseCode, 5);
  }
});

test("garbage is survived, over UDP and TCP", async () => {
  const { port, resolver } = await serve();
  const garbage = [
    Buffer.alloc(0),
    Buffer.alloc(5, 1),
    Buffer.alloc(2_000, 0xff),
    Buffer.alloc(5_000),
  ];
  await exchangeUdp(port, garbage, 0);
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  socket.write(frameDnsMessage(Buffer.alloc(5_000)));
  await once(socket.resume(), "close");
  assert.deepEqual(await resolver.resolve4("api.shop"), ["10.96.0.7"]);
});

test("several queries of one TCP connection are answered", async () => {
  const { port } = await serve();
  const socket = connect(port, "127.0.0.1");
  const replies: Buffer[] = [];
  readDnsMessages(socket, (reply) => replies.push(reply));
  const queries = ["api.shop", "pair.shop", "many.shop"].map((name) => queryFor(name));
  socket.end(Buffer.concat(queries.map(frameDnsMessage)));
  await once(socket, "end");
  assert.equal(replies.length, 3);
  assert.ok(replies.every((reply) => readDnsEnvelope(reply)?.responseCode === 0));
});

test("one client holds so many TCP connections, and no more", async () => {
  const { port } = await serve();
  const dial = (): Socket => connect(port, "127.0.0.1").on("error", () => {});
  const held = Array.from({ length: 32 }, dial);
  await Promise.all(held.map((socket) => once(socket, "connect")));
  await once(dial().resume(), "close");
  assert.ok(held.every((socket) => !socket.destroyed));
  for (const socket of held) socket.destroy();
  await Promise.all(held.map((socket) => once(socket, "close")));
  const later = dial();
  const replies: Buffer[] = [];
  readDnsMessages(later, (reply) => replies.push(reply));
  later.end(frameDnsMessage(queryFor("api.shop")));
  await once(later, "end");
  assert.equal(replies.length, 1);
});

test("an address that is taken is told, and nothing stays open", async () => {
  const { port } = await serve();
  const free = await freePort();
  const listen = [free, port].map((one) => ({ address: "127.0.0.1", port: one }));
  await assert.rejects(serve({ listen }), ListenError);
  await serve({ listen: [{ address: "127.0.0.1", port: free }] });
});

test("what is closed answers no more, and its ports are free", async () => {
  const port = await freePort();
  const listen = [{ address: "127.0.0.1", port }];
  await serve({ listen });
  const idle = connect(port, "127.0.0.1").on("error", () => {});
  await once(idle, "connect");
  await servers.at(-1)?.close();
  await once(idle.resume(), "close");
  await serve({ listen });
});

/** For a name, `A` unless another type is given. */
function queryFor(name: string, type = 1): Buffer {
  const labels = name.split(".").map((label) => `${String.fromCharCode(label.length)}${label}`);
  const question = Buffer.from(
    `${labels.join("")}\0\0${String.fromCharCode(type)}\0\x01`,
    "latin1",
  );
  return Buffer.concat([Buffer.from("0b0b01000001000000000000", "hex"), question]);
}

/** Sends all, and waits for so many replies. */
async function exchangeUdp(
  port: number,
  queries: readonly Buffer[],
  expected: number = queries.length,
): Promise<Buffer[]> {
  const socket = createSocket("udp4");
  const replies: Buffer[] = [];
  socket.on("message", (reply) => replies.push(reply));
  try {
    for (const query of queries) {
      await new Promise((resolve) => socket.send(query, port, "127.0.0.1", resolve));
      await turn(); // the server shares our thread, and its buffer is finite
    }
    await eventually(`${expected} replies`, () => replies.length >= expected);
    return replies;
  } finally {
    socket.close();
  }
}
