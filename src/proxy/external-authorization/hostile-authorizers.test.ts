/** Authorizers, or whoever has come between, that break the rules of HTTP: nobody passes by it, and nobody else's answer is taken. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { after, type TestContext, test } from "node:test";
import { call, closeStages, grpc, http, stage } from "../../../test/kit/authorizer-stage.ts";
import { LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";

after(closeStages);

/** Says `answer` to each connection's every piece. */
async function raw(
  context: TestContext,
  answer: (socket: Socket, heard: Buffer) => void,
): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (heard: Buffer) => answer(socket, heard));
  });
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server);
}

const ALLOWED = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const DENIED = "HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\nno";

test("an answer that nobody has asked for is nobody's: the next request has its own", async (context) => {
  for (const late of [false, true]) {
    let asked = 0;
    const port = await raw(context, (socket) => {
      asked++;
      if (late) {
        socket.write(DENIED);
        setImmediate(() => socket.write(ALLOWED));
      } else socket.write(DENIED + ALLOWED);
    });
    const one = await stage({ authorizers: [http("opa")], ports: { opa: port } });
    for (let time = 0; time < 6; time++) assert.equal((await call(one)).status, 401);
    assert.equal(asked, 6);
    assert.equal(one.reached(), 0);
  }
});

const broken: [what: string, answer: string][] = [
  [
    "a switch of protocols",
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
  ],
  ["interim answers, and no other", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100)],
  ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-length: 1\r\n\r\n"],
  [
    "a length and chunks",
    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n",
  ],
  ["a transfer coding that nobody knows", "HTTP/1.1 200 OK\r\ntransfer-encoding: x\r\n\r\n"],
  ["half a head", "HTTP/1.1 200 OK\r\nx: "],
  ["half a body", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"],
  ["half of its chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc"],
  ["a bare line feed", "HTTP/1.1 200 OK\nx: y\n\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n"],
  ["too many fields", `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(5_000)}content-length: 0\r\n\r\n`],
  ["a field too long", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(200_000)}\r\ncontent-length: 0\r\n\r\n`],
  ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
];
for (const [what, answer] of broken) {
  test(`EA-26: ${what} lets nobody pass`, async (context) => {
    const port = await raw(context, (socket) => {
      socket.write(answer);
      socket.end();
    });
    const one = await stage({
      authorizers: [http("opa", { timeoutMs: 1_000 })],
      ports: { opa: port },
    });
    assert.equal((await call(one)).status, 403);
    assert.equal(one.reached(), 0);
    const entry = await one.entry();
    assert.equal(entry.response_flags, "UAEX");
  });
}

test("EA-3: an answer octet by octet has no more time than one that never comes", async (context) => {
  const port = await raw(context, (socket) => {
    let at = 0;
    const dribble = setInterval(() => socket.write(ALLOWED.charAt(at++ % 20)), 20);
    socket.once("close", () => clearInterval(dribble));
  });
  const one = await stage({ authorizers: [http("opa", { timeoutMs: 400 })], ports: { opa: port } });
  const startedMs = performance.now();
  assert.equal((await call(one)).status, 403);
  assert.ok(performance.now() - startedMs < 3_000);
});

/** Frames of HTTP/2: type, flags, stream, payload. */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const NOTHING = Buffer.alloc(0);
const SETTINGS = frame(4, 0, 0, NOTHING);
/** `:status: 200`, then literals without index. */
function block(...fields: [name: string, value: string][]): Buffer {
  const literals = fields.map(([name, value]) =>
    Buffer.concat([
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]),
  );
  return Buffer.concat(literals);
}
const STATUS_200 = Buffer.from([0x88]);
const HEAD = Buffer.concat([STATUS_200, block(["content-type", "application/grpc"])]);
/** An empty CheckResponse, which allows. */
const MESSAGE = Buffer.from([0, 0, 0, 0, 0]);
const OK = block(["grpc-status", "0"]);
const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
};

const calls: [what: string, answer: (stream: number) => Buffer[], status: number][] = [
  [
    "all that there should be",
    (id) => [frame(1, 4, id, HEAD), frame(0, 0, id, MESSAGE), frame(1, 5, id, OK)],
    200,
  ],
  ["no trailers", (id) => [frame(1, 4, id, HEAD), frame(0, 1, id, MESSAGE)], 403],
  [
    "a reset behind the message",
    (id) => [frame(1, 4, id, HEAD), frame(0, 0, id, MESSAGE), frame(3, 0, id, u32(8))],
    403,
  ],
  [
    "a farewell in the midst of it, and then the rest",
    (id) => [
      frame(1, 4, id, HEAD),
      frame(7, 0, 0, u32(id, 0)),
      frame(0, 0, id, MESSAGE),
      frame(1, 5, id, OK),
    ],
    200,
  ],
  ["a farewell that has not seen it", (id) => [frame(7, 0, 0, u32(Math.max(0, id - 2), 0))], 403],
  [
    "an answer on a stream that nobody has opened",
    (id) => [frame(1, 4, id + 2, HEAD), frame(0, 0, id + 2, MESSAGE), frame(1, 5, id + 2, OK)],
    403,
  ],
  [
    "a pushed answer",
    (id) => [frame(5, 4, id, Buffer.concat([u32(2), HEAD])), frame(1, 5, 2, HEAD)],
    403,
  ],
  [
    "two statuses",
    (id) => [
      frame(1, 4, id, HEAD),
      frame(0, 0, id, MESSAGE),
      frame(1, 5, id, Buffer.concat([OK, block(["grpc-status", "7"])])),
    ],
    403,
  ],
  [
    "a status of gRPC in the head, another behind the message",
    (id) => [
      frame(1, 4, id, Buffer.concat([HEAD, OK])),
      frame(0, 0, id, MESSAGE),
      frame(1, 5, id, block(["grpc-status", "7"])),
    ],
    403,
  ],
  [
    "a status of HTTP behind the message",
    (id) => [
      frame(1, 4, id, HEAD),
      frame(0, 0, id, MESSAGE),
      frame(1, 5, id, Buffer.concat([STATUS_200, OK])),
    ],
    403,
  ],
  ["heads of interim answers alone", (id) => [frame(1, 4, id, block([":status", "103"]))], 403],
  ["a head that goes on and on", (id) => [frame(1, 0, id, HEAD), frame(9, 0, id, OK)], 403],
  ["bytes that are no frames", () => [Buffer.alloc(200, 0xff)], 403],
];
for (const [what, answer, status] of calls) {
  test(`gRPC, ${what}: ${status}`, async (context) => {
    const port = await raw(context, (socket, heard) => {
      const isPreface = heard.toString("latin1", 0, 3) === "PRI";
      if (isPreface) socket.write(SETTINGS);
      for (const id of streamsIn(isPreface ? heard.subarray(24) : heard))
        socket.write(Buffer.concat(answer(id)));
    });
    const one = await stage({
      authorizers: [grpc("opa", { timeoutMs: 1_500 })],
      ports: { opa: port },
    });
    assert.equal((await call(one)).status, status);
    assert.equal(one.reached(), status === 200 ? 1 : 0);
  });
}

/** Those of HEADERS frames. */
function streamsIn(bytes: Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3))
    if (bytes[at + 3] === 1) found.push(bytes.readUInt32BE(at + 5));
  return found;
}
