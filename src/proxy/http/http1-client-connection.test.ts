import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { eventually } from "../../../test/kit/eventually.ts";
import {
  fieldOf,
  outgoingRequest,
  RecordedAnswer,
  type RecordOptions,
  type RequestParts,
} from "../../../test/kit/recorded-answer.ts";
import { LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { HeldFields } from "./held-fields.ts";
import { Http1ClientConnection } from "./http1-client-connection.ts";
import type { ClientConnection, ConnectionKeeper } from "./upstream-connections-member.ts";

const sockets = new Set<Socket>();
const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  sockets.add(socket.on("error", () => socket.destroy()));
  accepted.shift()?.(socket);
});
server.listen(0, LOOPBACK);
const accepted: ((socket: Socket) => void)[] = [];
after(() => {
  server.close();
  for (const socket of sockets) socket.destroy();
});

class Keeper implements ConnectionKeeper {
  readonly nowMs = 0;
  readonly calls: string[] = [];
  ready(_: ClientConnection): void {
    this.calls.push("ready");
  }
  retired(_: ClientConnection): void {
    this.calls.push("retired");
  }
  closed(_: ClientConnection): void {
    this.calls.push("closed");
  }
}

/** A connection, the callee's end of it, and what the callee has read. */
interface Stage {
  readonly connection: Http1ClientConnection;
  readonly keeper: Keeper;
  readonly callee: Socket;
  readonly read: () => string;
}

async function stage(): Promise<Stage> {
  if (!server.listening) await once(server, "listening");
  const arrival = new Promise<Socket>((resolve) => accepted.push(resolve));
  const socket = connect({ port: portOf(server), host: LOOPBACK, allowHalfOpen: true });
  const callee = await arrival;
  const read: Buffer[] = [];
  callee.on("data", (bytes: Buffer) => read.push(bytes));
  const keeper = new Keeper();
  const upstream = { socket: sockets.add(socket) && socket, local: { address: "", port: 0 } };
  const connection = new Http1ClientConnection(upstream, keeper);
  return { connection, keeper, callee, read: () => Buffer.concat(read).toString("latin1") };
}

function send(
  connection: Http1ClientConnection,
  parts: RequestParts = {},
  options: RecordOptions = {},
): RecordedAnswer {
  const answer = new RecordedAnswer(options);
  connection.send(outgoingRequest(parts), options.body === undefined ? "last" : "more", answer);
  return answer;
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const HEADS: readonly { name: string; parts: RequestParts; body?: string[]; sent: string }[] = [
  {
    name: "a GET",
    parts: { path: "/a?b" },
    sent: "GET /a?b HTTP/1.1\r\nHost: callee.test\r\n\r\n",
  },
  {
    name: "fields as they came, but for ours",
    parts: {
      fields: {
        "X-Name": "value",
        host: "other",
        te: "trailers",
        expect: "100-continue",
        connection: "close",
        upgrade: "h2c",
        "content-length": "7",
        "keep-alive": "timeout=5",
        "transfer-encoding": "chunked",
        accept: "*/*",
      },
    },
    sent: "GET / HTTP/1.1\r\nHost: callee.test\r\nX-Name: value\r\naccept: */*\r\n\r\n",
  },
  {
    name: "a POST without a body says so (RFC 9110 section 8.6)",
    parts: { method: "POST" },
    sent: "POST / HTTP/1.1\r\nHost: callee.test\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "a length without a body is none",
    parts: { method: "POST", contentLength: 5 },
    sent: "POST / HTTP/1.1\r\nHost: callee.test\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "a body of known length",
    parts: { method: "PUT", contentLength: 5 },
    body: ["he", "llo"],
    sent: "PUT / HTTP/1.1\r\nHost: callee.test\r\nContent-Length: 5\r\n\r\nhello",
  },
  {
    name: "a body of unknown length in chunks",
    parts: { method: "PUT" },
    body: ["he", "", "l".repeat(26)],
    sent: `PUT / HTTP/1.1\r\nHost: callee.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n1a\r\n${"l".repeat(26)}\r\n0\r\n\r\n`,
  },
  {
    name: "a body of no octets after all",
    parts: { method: "GET" },
    body: [""],
    sent: "GET / HTTP/1.1\r\nHost: callee.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  },
  {
    name: "an asterisk",
    parts: { method: "OPTIONS", path: "*" },
    sent: "OPTIONS * HTTP/1.1\r\nHost: callee.test\r\n\r\n",
  },
  {
    name: "an upgrade",
    parts: { upgrade: "websocket", fields: { "sec-websocket-key": "k" } },
    sent: "GET / HTTP/1.1\r\nHost: callee.test\r\nsec-websocket-key: k\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  },
  {
    name: "a tunnel",
    parts: { method: "CONNECT", path: "", authority: "db.test:5432", upgrade: "tunnel" },
    sent: "CONNECT db.test:5432 HTTP/1.1\r\nHost: db.test:5432\r\n\r\n",
  },
];

for (const { name, parts, body, sent } of HEADS) {
  test(`written: ${name}`, async () => {
    const { connection, read } = await stage();
    send(connection, parts, body ? { body: body.map((piece) => Buffer.from(piece)) } : {});
    await eventually("the request", () => read().length >= sent.length);
    assert.equal(read(), sent);
  });
}

test("written: trailers, but for those that no reader takes; cookies as one field (RFC 9113 section 8.2.3)", async () => {
  const { connection, read } = await stage();
  const fields = HeldFields.borrow();
  for (const [name, value] of [
    ["cookie", "a=1"],
    ["b", "2"],
    ["cookie", "c=3"],
    ["cookie", "d=4"],
  ]) {
    fields.add(name ?? "", value ?? "");
  }
  const trailers = { "grpc-status": "0", "x-forwarded-for": "1.2.3.4", "content-length": "9" };
  send(connection, { fields }, { body: [Buffer.from("x")], trailers });
  const sent =
    "cookie: a=1; c=3; d=4\r\nb: 2\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\ngrpc-status: 0\r\n\r\n";
  await eventually("the request", () => read().endsWith("\r\n\r\n") && read().includes("grpc"));
  assert.equal(read(), `GET / HTTP/1.1\r\nHost: callee.test\r\n${sent}`);
});

test("written: a head longer than a batch has room for", async () => {
  const { connection, read, callee } = await stage();
  const value = "v".repeat(60_000);
  const answer = send(connection, { fields: { long: value, longer: value } });
  await eventually("the request", () => read().endsWith("\r\n\r\n"));
  assert.equal(
    read(),
    `GET / HTTP/1.1\r\nHost: callee.test\r\nlong: ${value}\r\nlonger: ${value}\r\n\r\n`,
  );
  callee.write(OK);
  assert.equal((await answer.done).body, "ok");
});

test("a request that could end a line is not sent, and the connection is as it was", async () => {
  const { connection, read, callee } = await stage();
  for (const parts of [
    { path: "/a b" },
    { path: "/\r\nX: y" },
    { authority: "a\r\nX: y" },
    { path: "" },
  ]) {
    const answer = await send(connection, parts).done;
    assert.deepEqual(answer.calls, ["failed"]);
  }
  assert.equal(connection.mayServe, true);
  const answer = send(connection);
  await eventually("the request", () => read() !== "");
  callee.write(OK);
  await answer.done;
  assert.equal(read(), "GET / HTTP/1.1\r\nHost: callee.test\r\n\r\n");
});

interface AnswerCase {
  readonly name: string;
  readonly parts?: RequestParts;
  readonly bytes: string;
  /** Whether the callee ends its side then. */
  readonly ends?: true;
  readonly told: string;
  readonly keeper: readonly string[];
}

const SPARE = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
const ANSWERS: readonly AnswerCase[] = [
  {
    name: "a length",
    bytes: OK,
    told: "head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["ready"],
  },
  { name: "no body", bytes: SPARE, told: "head HTTP/1.1 200 length 0; last | ", keeper: ["ready"] },
  {
    name: "chunks, with an extension that goes nowhere",
    bytes:
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
    told: "head HTTP/1.1 200; data; last | ok!",
    keeper: ["ready"],
  },
  {
    name: "trailers",
    bytes:
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\na: b\r\nc: d\r\n\r\n",
    told: "head HTTP/1.1 200; data; trailers a=b c=d | ok",
    keeper: ["ready"],
  },
  {
    name: "interim answers",
    bytes: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`,
    told: "interim 100; interim 103 link=</a>; head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["ready"],
  },
  {
    name: "to a HEAD there is no body",
    parts: { method: "HEAD" },
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
    told: "head HTTP/1.1 200 length 2; last | ",
    keeper: ["ready"],
  },
  {
    name: "204",
    bytes: "HTTP/1.1 204 No Content\r\n\r\n",
    told: "head HTTP/1.1 204; last | ",
    keeper: ["ready"],
  },
  {
    name: "304 with the length of what is not there",
    bytes: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    told: "head HTTP/1.1 304 length 5; last | ",
    keeper: ["ready"],
  },
  {
    name: "until the end",
    bytes: "HTTP/1.1 200 OK\r\n\r\nall",
    ends: true,
    told: "head HTTP/1.1 200; data; last | all",
    keeper: ["closed"],
  },
  {
    name: "the callee closes after it",
    bytes: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    told: "head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["closed"],
  },
  {
    name: "HTTP/1.0 keeps nothing alive unless it says so",
    bytes: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    told: "head HTTP/1.0 200 length 2; data; last | ok",
    keeper: ["closed"],
  },
  {
    name: "HTTP/1.0 with keep-alive",
    bytes: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    told: "head HTTP/1.0 200 length 2; data; last | ok",
    keeper: ["ready"],
  },
  {
    name: "a byte too many ends the connection",
    bytes: `${OK}x`,
    told: "head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["closed"],
  },
  {
    name: "a second answer reaches nobody",
    bytes: `${SPARE}${SPARE}`,
    told: "head HTTP/1.1 200 length 0; last | ",
    keeper: ["closed"],
  },
  {
    name: "a blank line behind an answer ends the connection",
    bytes: `${OK}\r\n`,
    told: "head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["closed"],
  },
  { name: "nothing", bytes: "", ends: true, told: "aborted closed | ", keeper: ["closed"] },
  {
    name: "half a head",
    bytes: "HTTP/1.1 200 OK\r\nCont",
    ends: true,
    told: "aborted closed | ",
    keeper: ["closed"],
  },
  {
    name: "half a body",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal",
    ends: true,
    told: "head HTTP/1.1 200 length 5; data; aborted closed | hal",
    keeper: ["closed"],
  },
  {
    name: "chunks without a last one",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    ends: true,
    told: "head HTTP/1.1 200; data; aborted closed | ok",
    keeper: ["closed"],
  },
  {
    name: "no HTTP",
    bytes: "SSH-2.0-OpenSSH_9.2\r\n",
    told: "aborted http1.invalid_status_line | ",
    keeper: ["closed"],
  },
  {
    name: "two lengths",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    told: "aborted http1.several_content_lengths | ",
    keeper: ["closed"],
  },
  {
    name: "a malformed chunk, late",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n",
    told: "head HTTP/1.1 200; data; aborted http1.invalid_chunk_size | ok",
    keeper: ["closed"],
  },
  {
    name: "a trailer that says where the message goes",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nhost: a\r\n\r\n",
    told: "head HTTP/1.1 200; data; aborted http1.forbidden_trailer | ok",
    keeper: ["closed"],
  },
  {
    name: "a switch nobody asked for",
    bytes: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    told: "aborted http1.unexpected_switch | ",
    keeper: ["closed"],
  },
  {
    name: "a switch to what nobody asked for",
    parts: { upgrade: "websocket" },
    bytes: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    told: "aborted http1.unexpected_switch | ",
    keeper: ["closed"],
  },
  {
    name: "interim answers without end",
    bytes: "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17),
    told: `${"interim 103; ".repeat(16)}aborted http1.too_many_interim_answers | `,
    keeper: ["closed"],
  },
  {
    name: "a refused upgrade is an answer as any other",
    parts: { upgrade: "websocket" },
    bytes: OK,
    told: "head HTTP/1.1 200 length 2; data; last | ok",
    keeper: ["ready"],
  },
  {
    name: "a granted upgrade",
    parts: { upgrade: "websocket" },
    bytes:
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ends: true,
    told: "head HTTP/1.1 101 switch; data; last | HTTP/1.1 200 OK\r\n\r\n",
    keeper: [],
  },
  {
    name: "a tunnel",
    parts: { method: "CONNECT", path: "", authority: "a:1", upgrade: "tunnel" },
    bytes: "HTTP/1.1 200 OK\r\n\r\nbytes",
    ends: true,
    told: "head HTTP/1.1 200 switch; data; last | bytes",
    keeper: [],
  },
];

for (const { name, parts, bytes, ends, told, keeper } of ANSWERS) {
  test(`read: ${name}`, async () => {
    const { connection, callee, keeper: heard } = await stage();
    const answer = send(connection, parts);
    await nextTurn();
    callee.write(bytes, "latin1");
    if (ends) callee.end();
    await answer.done;
    assert.equal(answer.summary, told);
    if (keeper[0] === "closed") await eventually("the end", () => heard.calls.includes("closed"));
    assert.deepEqual(heard.calls, keeper);
  });
}

test("law: however an answer is cut, the same is told", async () => {
  const cases = fc.constantFrom(...ANSWERS);
  const cuts = fc.array(fc.nat(200), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cases, cuts, async ({ parts, bytes, ends, told }, places) => {
      const { connection, callee } = await stage();
      const answer = send(connection, parts);
      await nextTurn();
      const whole = Buffer.from(bytes, "latin1");
      let from = 0;
      for (const cut of [...places.sort((a, b) => a - b), whole.length]) {
        const to = Math.min(cut, whole.length);
        // Memory that is lent is somebody else's a moment later.
        const lent = Buffer.from(whole.subarray(from, to));
        if (to > from) connection.received(lent, 0, lent.length);
        lent.fill(88);
        from = to;
      }
      if (ends) connection.ended();
      assert.equal(answer.summary, told);
      callee.destroy();
      connection.abandon();
    }),
    { numRuns: 200 },
  );
});

test("thousands of requests go over one connection", async () => {
  const { connection, callee, keeper, read } = await stage();
  let answered = 0;
  callee.on("data", (bytes: Buffer) => {
    const heads = bytes.toString("latin1").split("\r\n\r\n").length - 1;
    for (let index = 0; index < heads; index++) callee.write(OK);
  });
  for (; answered < 2_000; answered++) {
    const answer = await send(connection, { path: `/${answered}` }).done;
    assert.equal(answer.summary, "head HTTP/1.1 200 length 2; data; last | ok");
    assert.equal(answer.stream?.isReused, answered > 0);
  }
  assert.equal(connection.served, 2_000);
  assert.equal(keeper.calls.length, 2_000);
  assert.equal(read().split("Host").length, 2_001);
});

test("a request may be sent while the last piece of the answer before is told", async () => {
  const { connection, callee } = await stage();
  callee.on("data", () => callee.write(OK));
  const first = send(connection);
  let second: RecordedAnswer | undefined;
  first.onLast = () => {
    second = send(connection);
  };
  await first.done;
  assert.equal((await second?.done)?.summary, "head HTTP/1.1 200 length 2; data; last | ok");
});

test("a byte on an idle connection ends it", async () => {
  const { connection, callee, keeper } = await stage();
  const answer = send(connection);
  await nextTurn();
  callee.write(OK);
  await answer.done;
  callee.write("HTTP/1.1 200 OK\r\n\r\n");
  await eventually("the end", () => keeper.calls.at(-1) === "closed");
  assert.equal(connection.mayServe, false);
});

test("what came before the request went out is no answer to it", async () => {
  const { connection, keeper } = await stage();
  const answer = send(connection);
  const late = Buffer.from("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  connection.received(late, 0, late.length);
  assert.equal((await answer.done).summary, "aborted closed | ");
  assert.deepEqual(keeper.calls, ["closed"]);
});

test("an idle connection that the callee ends is gone at once", async () => {
  const { connection, callee, keeper } = await stage();
  callee.end();
  await eventually("the end", () => keeper.calls.at(-1) === "closed");
  assert.equal(connection.mayServe, false);
});

test("an answer before the request is complete is passed on, and the connection serves no other", async () => {
  for (const rest of ["never", "before the answer ends"]) {
    const { connection, callee, keeper } = await stage();
    const answer = new RecordedAnswer();
    connection.send(outgoingRequest({ method: "POST" }), "more", answer);
    await nextTurn();
    callee.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nn");
    await eventually("the head", () => answer.body === "n");
    if (rest !== "never") answer.stream?.data(Buffer.from("x"), 0, 1, "last");
    callee.write("o");
    await answer.done;
    assert.equal(answer.summary, "head HTTP/1.1 413 length 2; data; last | no");
    assert.deepEqual(keeper.calls, ["closed"], rest);
    assert.equal(
      answer.stream?.data(Buffer.alloc(9), 0, 9, "last"),
      9,
      "what comes later is thrown away",
    );
  }
});

test("a callee that refuses a body and closes is sent no more of it (RFC 9112 section 9.5)", async () => {
  const { connection, callee, keeper, read } = await stage();
  const answer = new RecordedAnswer();
  connection.send(outgoingRequest({ method: "POST", contentLength: 9 }), "more", answer);
  answer.stream?.data(Buffer.from("some"), 0, 4, "more");
  await eventually("what there is", () => read().endsWith("some"));
  callee.write("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nno");
  await eventually("the head", () => answer.body === "no");
  assert.equal(answer.stream?.data(Buffer.from("more!"), 0, 5, "last"), 5);
  await delay(20);
  callee.write("pe");
  await answer.done;
  assert.equal(answer.summary, "head HTTP/1.1 413 length 4; data; last | nope");
  await eventually("the end", () => callee.readableEnded || callee.destroyed);
  assert.ok(read().endsWith("some"));
  assert.deepEqual(keeper.calls, ["closed"]);
});

test("a body other than announced is never completed", async () => {
  const pieces: readonly (readonly string[])[] = [["four", ""], ["sixsix"], ["four", "and"]];
  for (const body of pieces) {
    const { connection, callee, keeper, read } = await stage();
    const options = { body: body.map((piece) => Buffer.from(piece)) };
    const answer = send(connection, { method: "PUT", contentLength: 5 }, options);
    assert.equal((await answer.done).calls.at(-1), "aborted http1.body_other_than_announced");
    await eventually("the end", () => callee.readableEnded || callee.destroyed);
    assert.deepEqual(keeper.calls, ["closed"]);
    assert.ok(!read().includes("\r\n\r\nfoura"));
  }
});

test("reset ends the connection, and nobody hears of it", async () => {
  const { connection, callee, keeper } = await stage();
  const answer = send(connection);
  await nextTurn();
  callee.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nso");
  await eventually("a piece", () => answer.body === "so");
  answer.stream?.reset();
  await once(callee, "end");
  assert.deepEqual(keeper.calls, ["closed"]);
  assert.equal(answer.calls.at(-1), "data");
});

test("a connection that is lost is told to who waits", async () => {
  const { connection, callee } = await stage();
  const answer = send(connection);
  await nextTurn();
  callee.resetAndDestroy();
  assert.equal((await answer.done).calls.at(-1), "aborted closed");
});

test("retire lets the answer come, and keeps nothing", async () => {
  const { connection, callee, keeper } = await stage();
  const answer = send(connection);
  connection.retire();
  await nextTurn();
  assert.equal(connection.mayServe, false);
  callee.write(OK);
  assert.equal((await answer.done).body, "ok");
  assert.deepEqual(keeper.calls, ["retired", "closed"]);
});

test("a tunnel carries bytes both ways, what came before its answer too, and the callee's end is last", async () => {
  const { connection, callee, keeper, read } = await stage();
  const body = [Buffer.from("early"), Buffer.from(" late")];
  const answer = send(connection, { upgrade: "websocket" }, { body });
  await eventually("the request", () => read() !== "");
  assert.ok(read().endsWith("\r\n\r\n"));
  callee.write(`${SWITCH}hello`);
  await once(callee, "end");
  assert.ok(read().endsWith("early late"));
  callee.end(" and bye");
  await answer.done;
  assert.equal(answer.summary, "head HTTP/1.1 101 switch; data; last | hello and bye");
  await eventually("the end", () => keeper.calls.includes("closed"));
});

test("a client that ends its way of a tunnel before the answer is heard in full", async () => {
  const { connection, callee } = await stage();
  const answer = new RecordedAnswer();
  connection.send(outgoingRequest({ upgrade: "websocket" }), "more", answer);
  await nextTurn();
  answer.stream?.data(Buffer.alloc(0), 0, 0, "last");
  assert.equal(callee.readableEnded, false);
  callee.write(SWITCH);
  await once(callee, "end");
  callee.end("bye");
  assert.equal((await answer.done).body, "bye");
});

test("when the callee ends a tunnel, what the client sent goes out, and the connection ends", async () => {
  const { connection, callee, keeper, read } = await stage();
  const answer = new RecordedAnswer();
  connection.send(outgoingRequest({ upgrade: "websocket" }), "more", answer);
  await nextTurn();
  callee.write(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  await eventually("the head", () => answer.status === 101);
  answer.onLast = () => assert.equal(answer.stream?.data(Buffer.from("late"), 0, 4, "last"), 4);
  answer.stream?.data(Buffer.from("sent"), 0, 4, "more");
  callee.end();
  await answer.done;
  await eventually("the end", () => callee.readableEnded && keeper.calls.includes("closed"));
  assert.ok(read().endsWith("\r\n\r\nsent"));
});

test("a callee that reads slowly is sent no more than it takes", async () => {
  const { connection, callee, read } = await stage();
  callee.pause();
  const length = 65_536;
  const pieces = new Array<Buffer>(160).fill(Buffer.alloc(length, "a"));
  const answer = send(connection, { method: "PUT" }, { body: pieces });
  const unsent = await settled(() => answer.unsent);
  assert.ok(unsent > 4 * 1_048_576, `${unsent}`);
  const { arrayBuffers } = process.memoryUsage();
  assert.ok(arrayBuffers < 30e6, `${arrayBuffers}`);
  callee.resume();
  await eventually("all of it", () => read().endsWith("0\r\n\r\n"));
  callee.write(OK);
  assert.equal((await answer.done).body, "ok");
});

test("an answer that nobody consumes is not read on", async () => {
  const { connection, callee } = await stage();
  const answer = send(connection, {}, { consumption: "by hand" });
  await nextTurn();
  const length = 16 * 1_048_576;
  callee.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
  callee.write(Buffer.alloc(length, "b"));
  await eventually("some of it", () => answer.held > 0);
  const before = await settled(() => answer.held);
  assert.ok(before <= 2 * 65_536, `${before}`);
  let total = 0;
  const pump = setInterval(() => {
    total += answer.held;
    answer.consume();
  }, 1);
  await answer.done;
  clearInterval(pump);
  assert.equal(total + answer.held, length);
  assert.equal(fieldOf(answer, "content-length"), String(length));
});

test("what an owner still holds of an answer does not stop the next one", async () => {
  const { connection, callee } = await stage();
  const answer = send(connection, {}, { consumption: "by hand" });
  await nextTurn();
  const chunk = `10000\r\n${"c".repeat(65_536)}\r\n`;
  const whole = Buffer.from(
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(2)}0\r\n\r\n`,
  );
  connection.received(whole, 0, whole.length);
  assert.equal((await answer.done).held, 2 * 65_536);
  const next = send(connection);
  await nextTurn();
  callee.write(OK);
  assert.equal((await next.done).body, "ok");
  answer.consume();
});

/** What a number is once it has stood still for a while. */
async function settled(read: () => number): Promise<number> {
  let last = -1;
  for (let turn = 0; turn < 20; turn++) {
    const now = read();
    if (now === last && turn > 10) return now;
    last = now;
    await delay(10);
  }
  return last;
}
