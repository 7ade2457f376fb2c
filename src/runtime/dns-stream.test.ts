import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { eventually } from "../../test/kit/eventually.ts";
import {
  type DnsStreamService,
  frameDnsMessage,
  readDnsMessages,
  serveDnsStream,
} from "./dns-stream.ts";

const open = new Set<{ close(): unknown }>();
const sockets = new Set<Socket>();
after(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of open) server.close();
});

const SERVICE: DnsStreamService = {
  answer: async (query) => Buffer.concat([Buffer.from("re:"), query]),
  maxQueryBytes: 100,
  maxOwed: 4,
  idleMs: 60_000,
};

/** A connection to a server that serves it so. */
async function dial(service: DnsStreamService | ((socket: Socket) => void)): Promise<Socket> {
  const serve =
    typeof service === "function" ? service : (socket: Socket) => serveDnsStream(socket, service);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    serve(socket);
  });
  open.add(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === "object");
  const client = connect({ port: bound.port, host: "127.0.0.1" });
  sockets.add(client);
  client.on("error", () => {});
  await once(client, "connect");
  return client;
}

function answersOf(client: Socket): string[] {
  const answers: string[] = [];
  readDnsMessages(client, (message) => answers.push(message.toString()));
  return answers;
}

test("RFC 1035 4.2.2 law: messages arrive whole, however the bytes are cut", async () => {
  const received: string[] = [];
  const client = await dial((socket) =>
    readDnsMessages(socket, (message) => received.push(message.toString("hex"))),
  );
  client.setNoDelay(true);
  const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), {
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(messages, fc.integer({ min: 1, max: 50 }), async (sent, step) => {
      received.length = 0;
      const bytes = Buffer.concat(sent.map((message) => frameDnsMessage(Buffer.from(message))));
      for (let at = 0; at < bytes.length; at += step) {
        client.write(bytes.subarray(at, at + step));
        if (at % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await eventually("all messages", () => received.length === sent.length);
      assert.deepEqual(
        received,
        sent.map((message) => Buffer.from(message).toString("hex")),
      );
    }),
    { numRuns: 40 },
  );
});

test("RFC 7766 6.2.1: many queries of one connection are answered, more at once than are owed", async () => {
  const client = await dial(SERVICE);
  const answers = answersOf(client);
  const queries = Array.from({ length: 50 }, (_, index) => `q${index}`);
  client.write(Buffer.concat(queries.map((query) => frameDnsMessage(Buffer.from(query)))));
  await eventually("all answers", () => answers.length === queries.length);
  assert.deepEqual(answers.sort(), queries.map((query) => `re:${query}`).sort());
});

test("no more queries are taken than answers may be owed", async () => {
  const waiting: (() => void)[] = [];
  const answer = (query: Buffer): Promise<Buffer> =>
    new Promise((resolve) => void waiting.push(() => resolve(query)));
  const client = await dial({ ...SERVICE, answer });
  const answers = answersOf(client);
  for (let index = 0; index < 10; index++) client.write(frameDnsMessage(Buffer.from(`q${index}`)));
  await eventually("the first queries", () => waiting.length === SERVICE.maxOwed);
  await delay(50);
  assert.equal(waiting.length, SERVICE.maxOwed);
  await eventually("the others in their turn", () => {
    waiting.shift()?.();
    return answers.length === 10;
  });
});

test("a client that is done asking gets its answers, and the connection ends", async () => {
  const client = await dial(SERVICE);
  const answers = answersOf(client);
  client.end(Buffer.concat([frameDnsMessage(Buffer.from("a")), frameDnsMessage(Buffer.from("b"))]));
  await once(client, "end");
  assert.deepEqual(answers, ["re:a", "re:b"]);
});

const violations: [what: string, bytes: Buffer][] = [
  ["a message that is too long", frameDnsMessage(Buffer.alloc(101))],
  ["an empty message", Buffer.from([0, 0])],
];
for (const [what, bytes] of violations) {
  test(`${what} ends the connection`, async () => {
    const client = await dial(SERVICE);
    client.resume().write(bytes);
    await once(client, "close");
  });
}

test("a silent connection is closed", async () => {
  const client = await dial({ ...SERVICE, idleMs: 30 });
  await once(client.resume(), "close");
});
