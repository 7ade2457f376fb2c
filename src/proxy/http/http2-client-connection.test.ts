import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { eventually } from "../../../test/kit/eventually.ts";
import { data, frame, headers, OK, settings, uint32 } from "../../../test/kit/http2-frames.ts";
import {
  fieldOf,
  outgoingRequest,
  RecordedAnswer,
  type RecordOptions,
  type RequestParts,
} from "../../../test/kit/recorded-answer.ts";
import { LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { ERROR_CODE } from "../../http/http2/error-code.ts";
import { FLAG, FRAME } from "../../http/http2/frame.ts";
import { RESET_BUDGET } from "../../http/http2/limits.ts";
import { Http2ClientConnection } from "./http2-client-connection.ts";
import type { ClientConnection, ConnectionKeeper } from "./upstream-connections-member.ts";

const ends: (() => void)[] = [];
after(() => {
  for (const end of ends) end();
});

class Keeper implements ConnectionKeeper {
  nowMs = 0;
  readonly calls: string[] = [];
  ready(_: ClientConnection): void {
    if (this.calls.at(-1) !== "ready") this.calls.push("ready");
  }
  retired(_: ClientConnection): void {
    this.calls.push("retired");
  }
  closed(_: ClientConnection): void {
    this.calls.push("closed");
  }
}

interface Stage {
  readonly connection: Http2ClientConnection;
  readonly keeper: Keeper;
  readonly socket: Socket;
}

function connectTo(port: number): Stage {
  const socket = connect({ port, host: LOOPBACK, allowHalfOpen: true, noDelay: true });
  ends.push(() => socket.destroy());
  const keeper = new Keeper();
  const upstream = { socket, local: { address: "", port: 0 } };
  return { connection: new Http2ClientConnection(upstream, keeper), keeper, socket };
}

function send(
  connection: Http2ClientConnection,
  parts: RequestParts = {},
  options: RecordOptions = {},
): RecordedAnswer {
  const answer = new RecordedAnswer(options);
  connection.send(outgoingRequest(parts), options.body === undefined ? "last" : "more", answer);
  return answer;
}

// Against node:http2.

type Serve = (stream: ServerHttp2Stream, head: IncomingHttpHeaders) => void;

async function nodeServer(serve: Serve): Promise<number> {
  const server = createHttp2Server();
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("stream", (stream, head) => {
    stream.on("error", () => {});
    serve(stream, head);
  });
  server.on("sessionError", () => {});
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  ends.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return portOf(server);
}

const echo: Serve = (stream, head) => {
  const { ":path": path, ":method": method, ":authority": authority, ":scheme": scheme } = head;
  const seen = [method, scheme, authority, path].join(" ");
  stream.respond(
    { ":status": 200, "x-seen": seen, "x-fields": fieldNames(head) },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": "true" }));
  if (method === "HEAD") stream.end();
  else stream.pipe(stream);
};

function fieldNames(head: IncomingHttpHeaders): string {
  return Object.keys(head)
    .filter((name) => !name.startsWith(":"))
    .join(",");
}

test("node:http2 understands heads, bodies and trailers, and so do we", async () => {
  const { connection } = connectTo(await nodeServer(echo));
  const fields = {
    "X-Name": "v",
    host: "other",
    te: "trailers",
    expect: "100-continue",
    connection: "close",
    "content-length": "3",
  };
  const body = [Buffer.from("some "), Buffer.from("body")];
  const parts = { method: "POST", path: "/a?b", fields, contentLength: 9 };
  const answer = await send(connection, parts, { body }).done;
  assert.equal(answer.summary, "head HTTP/2 200; data; trailers x-end=true | some body");
  assert.equal(fieldOf(answer, "x-seen"), "POST http callee.test /a?b");
  assert.equal(fieldOf(answer, "x-fields"), "x-name,te,content-length");
});

test("trailers go on, and an interim answer comes back", async () => {
  const trailed: string[] = [];
  const port = await nodeServer((stream) => {
    stream.additionalHeaders({ ":status": 103, link: "</a>" });
    stream.on("trailers", (fields) => trailed.push(JSON.stringify({ ...fields })));
    stream.resume().on("end", () => {
      stream.respond({ ":status": 204 }, { endStream: true });
    });
  });
  const { connection } = connectTo(port);
  const options = { body: [Buffer.from("x")], trailers: { "Grpc-Status": "0" } };
  const answer = await send(connection, { method: "POST" }, options).done;
  assert.equal(answer.summary, "interim 103 link=</a>; head HTTP/2 204; last | ");
  assert.deepEqual(trailed, ['{"grpc-status":"0"}']);
});

test("a HEAD, and no body at all", async () => {
  const { connection } = connectTo(await nodeServer(echo));
  const head = await send(connection, { method: "HEAD" }).done;
  assert.equal(head.calls[0], "head HTTP/2 200");
  assert.equal(head.body, "");
});

test("many at a time, and thousands over one connection", async () => {
  const { connection, keeper } = connectTo(await nodeServer(echo));
  for (let round = 0; round < 20; round++) {
    const answers = Array.from({ length: 100 }, (_, index) => {
      const body = [Buffer.from(`${round}.${index}`)];
      return send(connection, { method: "POST", path: `/${index}` }, { body });
    });
    for (const [index, answer] of answers.entries()) {
      assert.equal((await answer.done).body, `${round}.${index}`);
    }
  }
  assert.equal(connection.served, 2_000);
  await eventually("the last stream's end", () => connection.isIdle);
  assert.ok(connection.mayServe);
  assert.deepEqual([...new Set(keeper.calls)], ["ready"]);
});

test("a large body both ways, at the callee's pace", async () => {
  const { connection } = connectTo(await nodeServer(echo));
  const length = 65_536;
  const body = new Array<Buffer>(64).fill(Buffer.alloc(length, "c"));
  const answer = await send(connection, { method: "POST" }, { body }).done;
  assert.equal(
    answer.pieces.reduce((sum, piece) => sum + piece.length, 0),
    64 * length,
  );
});

test("an answer that nobody consumes stops, and others go on", async () => {
  const length = 8 * 1_048_576;
  const port = await nodeServer((stream, head) => {
    stream.respond({ ":status": 200 });
    if (head[":path"] === "/large") stream.end(Buffer.alloc(length, "d"));
    else stream.end("small");
  });
  const { connection } = connectTo(port);
  const large = send(connection, { path: "/large" }, { consumption: "by hand" });
  await eventually("a window of it", () => large.held === 262_144);
  for (let index = 0; index < 20; index++) {
    assert.equal((await send(connection, { path: "/small" }).done).body, "small");
  }
  await delay(20);
  assert.equal(large.held, 262_144);
  const pump = setInterval(() => large.consume(), 1);
  await large.done;
  clearInterval(pump);
  assert.equal(
    large.pieces.reduce((sum, piece) => sum + piece.length, 0),
    length,
  );
});

test("what is given up unread costs the connection no window", async () => {
  const port = await nodeServer((stream) => {
    stream.respond({ ":status": 200 });
    stream.end(Buffer.alloc(200_000, "e"));
  });
  const { connection } = connectTo(port);
  // 1 MiB may be under way in all: each of these leaves 200 kB behind, whole or cut off.
  for (let index = 0; index < 30; index++) {
    const answer = send(connection, {}, { consumption: "by hand" });
    if (index % 2 === 0) await answer.done;
    else {
      await eventually("some of it", () => answer.held > 0);
      answer.stream?.reset();
    }
  }
  assert.equal((await send(connection).done).calls.at(-1), "last");
});

// Against bytes by hand.

interface Script {
  readonly stage: Stage;
  readonly callee: Socket;
  readonly read: () => Buffer;
}

const listener: Server = createServer({ noDelay: true, allowHalfOpen: true });
listener.listen(0, LOOPBACK);
ends.push(() => listener.close());

async function script(): Promise<Script> {
  if (!listener.listening) await once(listener, "listening");
  const arrival = once(listener, "connection") as Promise<[Socket]>;
  const stage = connectTo(portOf(listener));
  const [callee] = await arrival;
  ends.push(() => callee.destroy());
  const read: Buffer[] = [];
  callee.on("data", (bytes: Buffer) => read.push(bytes)).on("error", () => callee.destroy());
  return { stage, callee, read: () => Buffer.concat(read) };
}

const HELLO = Buffer.concat([settings(), frame(FRAME.SETTINGS, FLAG.ACK, 0)]);
const rst = (id: number, code: number): Buffer => frame(FRAME.RST_STREAM, 0, id, uint32(code));
const goaway = (last: number, code: number): Buffer =>
  frame(FRAME.GOAWAY, 0, 0, uint32(last, code));
/** What we sent last of frames of a type. */
function lastFrame(bytes: Buffer, type: number): Buffer | undefined {
  let found: Buffer | undefined;
  for (let at = 24; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    if (bytes[at + 3] === type) found = bytes.subarray(at, at + 9 + length);
    at += 9 + length;
  }
  return found;
}

interface Ending {
  readonly name: string;
  readonly bytes: Buffer;
  readonly ends?: true;
  /** Of requests on streams 1 and 3. */
  readonly told: readonly [string, string];
}

const NOT_ENDED = "aborted closed";
const ENDINGS: readonly Ending[] = [
  { name: "the end of the connection", bytes: HELLO, ends: true, told: [NOT_ENDED, NOT_ENDED] },
  {
    name: "a reset",
    bytes: Buffer.concat([HELLO, rst(1, ERROR_CODE.INTERNAL_ERROR), headers(3, OK)]),
    told: ["aborted reset", "last"],
  },
  {
    name: "a refusal",
    bytes: Buffer.concat([HELLO, rst(3, ERROR_CODE.REFUSED_STREAM), headers(1, OK)]),
    told: ["last", "aborted reset nothing"],
  },
  {
    name: "GOAWAY in the middle",
    bytes: Buffer.concat([HELLO, goaway(1, 0), headers(1, OK, "more"), data(1, "still", "last")]),
    told: ["last", "aborted reset nothing"],
  },
  {
    name: "a malformed head",
    bytes: Buffer.concat([HELLO, headers(1, [[":status", "20"]]), headers(3, OK)]),
    told: ["aborted http2.protocol_error", "last"],
  },
  {
    name: "less data than announced",
    bytes: Buffer.concat([
      HELLO,
      headers(1, [...OK, ["content-length", "9"]], "more"),
      data(1, "short", "last"),
      headers(3, OK),
    ]),
    told: ["aborted http2.protocol_error", "last"],
  },
  {
    name: "a broken connection",
    bytes: Buffer.concat([HELLO, headers(1, OK), frame(FRAME.DATA, 0, 0, Buffer.from("x"))]),
    told: ["last", "aborted http2.protocol_error"],
  },
  {
    name: "no HTTP/2 at all",
    bytes: Buffer.from("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
    told: ["aborted http2.frame_size_error", "aborted http2.frame_size_error"],
  },
];

for (const { name, bytes, ends: isEnd, told } of ENDINGS) {
  test(`told: ${name}`, async () => {
    const { stage, callee } = await script();
    const { connection, keeper } = stage;
    callee.write(settings());
    const first = send(connection);
    await eventually("the callee's SETTINGS", () => connection.knowsPeer);
    const second = send(connection);
    callee.write(bytes);
    if (isEnd) callee.end();
    await first.done;
    await second.done;
    assert.deepEqual([ended(first), ended(second)], told);
    if (isEnd || name.startsWith("a broken") || name.startsWith("GOAWAY")) {
      await eventually("the connection to be given up", () => keeper.calls.includes("closed"));
      assert.equal(connection.mayServe, false);
    }
  });
}

function ended({ calls, why }: RecordedAnswer): string {
  const done = why?.cause === "reset" && why.done === "nothing" ? " nothing" : "";
  return `${calls.at(-1)}${done}`;
}

test("law: however an answer is cut, the same is told", async () => {
  const whole = Buffer.concat([
    HELLO,
    headers(
      1,
      [
        [":status", "103"],
        ["link", "</a>"],
      ],
      "more",
    ),
    headers(1, [...OK, ["content-length", "8"]], "more"),
    data(1, "some"),
    data(1, ""),
    data(1, "body"),
    headers(1, [["x-end", "1"]]),
  ]);
  const told = "interim 103 link=</a>; head HTTP/2 200 length 8; data; trailers x-end=1 | somebody";
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 12 }), async (places) => {
      const { stage, callee } = await script();
      const answer = send(stage.connection);
      let from = 0;
      for (const to of [...places.sort((a, b) => a - b), whole.length]) {
        const lent = Buffer.from(whole.subarray(from, to));
        if (to > from) stage.socket.emit("data", lent);
        lent.fill(88);
        from = to;
      }
      assert.equal(answer.summary, told);
      stage.socket.destroy();
      callee.destroy();
    }),
    { numRuns: 100 },
  );
});

test("until the callee has said what it allows, there is one request at a time", async () => {
  const { stage, callee } = await script();
  const { connection, keeper } = stage;
  assert.ok(connection.mayServe);
  const first = send(connection);
  assert.equal(connection.mayServe, false);
  callee.write(Buffer.concat([settings([3, 2]), headers(1, OK, "more")]));
  await eventually("the head", () => first.status === 200);
  assert.ok(connection.mayServe);
  send(connection);
  assert.equal(connection.mayServe, false, "two are all");
  callee.write(data(1, "", "last"));
  await first.done;
  await eventually("word of it", () => keeper.calls.at(-1) === "ready" && connection.mayServe);
});

test("an answer before the request is complete ends the stream, and the connection goes on", async () => {
  const { stage, callee, read } = await script();
  const answer = new RecordedAnswer();
  stage.connection.send(outgoingRequest({ method: "POST" }), "more", answer);
  callee.write(Buffer.concat([HELLO, headers(1, OK, "more"), data(1, "no", "last")]));
  await answer.done;
  assert.equal(answer.summary, "head HTTP/2 200; data; last | no");
  assert.equal(answer.stream?.data(Buffer.alloc(5), 0, 5, "last"), 5);
  await eventually("RST_STREAM", () => lastFrame(read(), FRAME.RST_STREAM) !== undefined);
  assert.deepEqual(lastFrame(read(), FRAME.RST_STREAM), rst(1, ERROR_CODE.CANCEL));
  assert.ok(stage.connection.isIdle && stage.connection.mayServe);
});

test("reset resets the stream alone, and nobody hears of it", async () => {
  const { stage, callee, read } = await script();
  const answer = send(stage.connection);
  answer.stream?.reset();
  await eventually("RST_STREAM", () => lastFrame(read(), FRAME.RST_STREAM) !== undefined);
  callee.write(Buffer.concat([HELLO, headers(1, OK)]));
  await eventually("SETTINGS", () => stage.connection.knowsPeer);
  assert.deepEqual(answer.calls, []);
  const next = send(stage.connection);
  callee.write(headers(3, OK));
  assert.equal((await next.done).status, 200);
});

test("given up by so many that the callee might lose patience, a connection gets no further request", async () => {
  const { stage, callee, read } = await script();
  const { connection, keeper } = stage;
  const innocent = send(connection);
  callee.write(HELLO);
  await eventually("SETTINGS", () => connection.knowsPeer);
  let given = 0;
  for (; connection.mayServe && given < RESET_BUDGET.burst; given++)
    send(connection).stream?.reset();
  assert.ok(given <= RESET_BUDGET.burst / 2 + 1, `${given}`);
  assert.ok(keeper.calls.includes("retired"));
  callee.write(headers(1, OK));
  assert.equal((await innocent.done).status, 200, "what is under way is answered");
  await eventually("the end", () => lastFrame(read(), FRAME.GOAWAY) !== undefined);
});

test("given up by all at once just before it is used up, a connection still costs the callee no patience", async () => {
  const { stage, callee } = await script();
  const { connection } = stage;
  const innocent = send(connection);
  callee.write(HELLO);
  await eventually("SETTINGS", () => connection.knowsPeer);
  let given = 0;
  for (; given < RESET_BUDGET.burst / 2; given++) send(connection).stream?.reset();
  const impatient: RecordedAnswer[] = [];
  while (connection.mayServe && impatient.length < 3_000) impatient.push(send(connection));
  for (const { stream } of impatient) stream?.reset();
  assert.ok(impatient.length > 100);
  assert.ok(given + impatient.length <= RESET_BUDGET.burst, `${given + impatient.length}`);
  callee.write(headers(1, OK));
  assert.equal((await innocent.done).status, 200);
});

test("retire finishes what is carried, says GOAWAY, and closes", async () => {
  const { stage, callee, read } = await script();
  const { connection, keeper } = stage;
  const answer = send(connection);
  callee.write(HELLO);
  await eventually("SETTINGS", () => connection.knowsPeer);
  connection.retire();
  assert.equal(connection.mayServe, false);
  callee.write(headers(1, OK));
  await answer.done;
  await eventually("the end", () => callee.readableEnded || callee.destroyed);
  assert.deepEqual(lastFrame(read(), FRAME.GOAWAY), goaway(0, 0));
  assert.deepEqual(keeper.calls.slice(-2), ["retired", "closed"]);
});

test("a callee that acknowledges no SETTINGS is given up (SETTINGS_TIMEOUT)", async () => {
  const { stage, callee, read } = await script();
  const { connection, keeper } = stage;
  const answer = send(connection);
  callee.write(settings());
  keeper.nowMs = 9_999;
  connection.checkSettings();
  assert.deepEqual(answer.calls, []);
  keeper.nowMs = 10_000;
  connection.checkSettings();
  assert.equal((await answer.done).calls.at(-1), "aborted timeout");
  await eventually("the end", () => callee.readableEnded || callee.destroyed);
  assert.deepEqual(lastFrame(read(), FRAME.GOAWAY), goaway(0, ERROR_CODE.SETTINGS_TIMEOUT));
});

test("a callee that reads slowly is sent no more than it takes", async () => {
  const { stage, callee, read } = await script();
  const window = frame(FRAME.WINDOW_UPDATE, 0, 0, uint32(0x7fff_0000 - 65_535));
  callee.write(
    Buffer.concat([settings([4, 0x7fff_ffff]), frame(FRAME.SETTINGS, FLAG.ACK, 0), window]),
  );
  await eventually("SETTINGS", () => stage.connection.knowsPeer);
  callee.pause();
  const body = new Array<Buffer>(160).fill(Buffer.alloc(65_536, "f"));
  const answer = send(stage.connection, { method: "POST" }, { body });
  await eventually("the socket to be full", () => answer.unsent < 10 * 1_048_576);
  for (let last = -1; last !== answer.unsent; await delay(100)) last = answer.unsent;
  assert.ok(answer.unsent > 4 * 1_048_576, `${answer.unsent}`);
  callee.resume();
  await eventually("all of it", () => answer.unsent === 0);
  callee.write(headers(1, OK));
  await answer.done;
  await eventually("the last octet", () => read().length > 160 * 65_536);
});

test("a callee that reads nothing does not keep its connection from ending", async () => {
  const { stage, callee } = await script();
  const { connection, keeper, socket } = stage;
  callee.pause();
  callee.write(settings([4, 0x7fff_ffff]));
  callee.write(frame(FRAME.WINDOW_UPDATE, 0, 0, uint32(0x7fff_0000 - 65_535)));
  await eventually("SETTINGS", () => connection.knowsPeer);
  const body = new Array<Buffer>(160).fill(Buffer.alloc(65_536));
  const answer = send(connection, { method: "POST" }, { body });
  await eventually("the socket to be full", () => socket.writableNeedDrain);
  keeper.nowMs = 10_000;
  connection.checkSettings();
  assert.equal((await answer.done).calls.at(-1), "aborted timeout");
  assert.equal(socket.destroyed, false, "its last word may still be read");
  await eventually("the end", () => socket.destroyed);
});

test("a tunnel is a stream", async () => {
  const { stage, callee, read } = await script();
  const answer = new RecordedAnswer();
  const parts = { method: "CONNECT", path: "", authority: "a:1" };
  stage.connection.send(outgoingRequest(parts), "more", answer);
  callee.write(Buffer.concat([HELLO, headers(1, OK, "more"), data(1, "hello")]));
  await eventually("bytes", () => answer.body === "hello");
  answer.stream?.data(Buffer.from("bye"), 0, 3, "last");
  await eventually("bytes", () => lastFrame(read(), FRAME.DATA) !== undefined);
  callee.write(data(1, "", "last"));
  assert.equal((await answer.done).summary, "head HTTP/2 200 switch; data; last | hello");
});

test("what HTTP/2 has no form for is not sent", async () => {
  const { stage } = await script();
  for (const parts of [
    { path: "/a b" },
    { upgrade: "websocket" },
    { authority: "a\r\nb" },
  ] as const) {
    const answer = await send(stage.connection, parts).done;
    assert.deepEqual(answer.calls, ["failed"]);
  }
  assert.equal(stage.connection.served, 0);
});

test("trailers go on by the rule of HTTP/1: none that says where a message goes, or who sent it", async () => {
  const seen: string[] = [];
  const port = await nodeServer((stream) => {
    stream.on("trailers", (fields) => seen.push(...Object.keys(fields)));
    stream.resume().on("end", () => stream.respond({ ":status": 200 }, { endStream: true }));
  });
  const { connection } = connectTo(port);
  const trailers = { "x-forwarded-for": "10.0.0.1", "cache-control": "no-store" };
  const body = [Buffer.from("a")];
  const post = { method: "POST" };
  await send(connection, post, { body, trailers: { ...trailers, "grpc-status": "0" } }).done;
  const without = await send(connection, post, { body, trailers }).done;
  assert.deepEqual([seen, without.status], [["grpc-status"], 200]);
});
