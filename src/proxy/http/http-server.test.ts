/** What ends connections: clients that leave or dawdle, and an owner that wants no more of them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../../test/kit/eventually.ts";
import {
  dial,
  echo,
  exchange,
  type HttpStage,
  type HttpStageOptions,
  type Reaction,
  startHttpStage,
} from "../../../test/kit/http-server-stage.ts";
import { HeldFields } from "./held-fields.ts";

const stages: HttpStage[] = [];
after(() => {
  for (const stage of stages) stage.close();
});

async function staged(react: Reaction, options: HttpStageOptions = {}): Promise<HttpStage> {
  const stage = await startHttpStage(react, options);
  stages.push(stage);
  return stage;
}

const GET = "GET / HTTP/1.1\r\nHost: a\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
const NONE = HeldFields.borrow();
const OK = { status: 200, body: "ok", flags: "-", details: "test" } as const;
const silent: Reaction = () => {};
const refuse: Reaction = ({ stream }, told) => {
  if (told === "request") stream.answer({ ...OK, status: 403 });
};
const statuses = (seen: string): string[] => seen.match(/(?<=HTTP\/1\.1 )\d+/g) ?? [];

async function ended(stage: HttpStage, index = 0): Promise<string> {
  await eventually("the end of the exchange", () => stage.requests[index]?.timesFinished === 1);
  return stage.requests[index]?.why?.cause ?? "answered";
}

for (const [what, text] of [
  ["before its answer", `${GET}\r\n`],
  ["within its body", `${POST}9\r\n\r\nhello`],
  ["with more requests waiting", `${GET}\r\n${GET}\r\n${GET}\r\n`],
] as const) {
  for (const how of ["ends", "resets"] as const) {
    test(`a client that leaves ${what} and ${how} the connection`, async () => {
      const stage = await staged(silent);
      const socket = dial(stage.port);
      socket.write(text);
      await eventually("the request", () => stage.requests.length === 1);
      if (how === "ends") socket.end();
      else socket.resetAndDestroy();
      assert.equal(await ended(stage), "closed");
      await eventually("the connection to be forgotten", () => stage.http.size === 0);
      assert.deepEqual([stage.requests.length, stage.broken], [1, []]);
    });
  }
}

test("a client that leaves in the midst of its answer", async () => {
  const stage = await staged(({ stream }, told) => {
    if (told !== "request") return;
    stream.head({ status: 200, fields: NONE, contentLength: 9 }, "more");
    stream.data(Buffer.from("hello"), 0, 5, "more");
  });
  const socket = dial(stage.port);
  socket.write(`${GET}\r\n`);
  await once(socket, "data");
  socket.destroy();
  assert.equal(await ended(stage), "closed");
});

test("a client that says no more in the midst of a head", async () => {
  const stage = await staged(silent);
  const socket = dial(stage.port);
  socket.end("GET / HTTP/1.1\r\nHo");
  const [answer] = await once(socket, "data");
  assert.deepEqual(statuses(String(answer)), ["400"]);
  assert.deepEqual(stage.broken, ["400 http1.cut_short"]);
});

const QUICK = {
  headersMs: 80,
  keepAliveMs: 80,
  exchangeMs: 80,
  idleMs: 80,
  lingerMs: 50,
  checkMs: 20,
};

test("who does not finish a head is answered with 408, however steadily bytes come", async () => {
  const stage = await staged(silent, { limits: QUICK });
  const socket = dial(stage.port);
  let seen = "";
  socket.on("data", (chunk: Buffer) => {
    seen += chunk.toString("latin1");
  });
  socket.write(`${GET}X: `);
  const steady = setInterval(() => socket.write("x"), 10);
  await once(socket, "end");
  clearInterval(steady);
  assert.deepEqual(statuses(seen), ["408"]);
  assert.deepEqual(stage.broken, ["408 http1.head_timeout"]);
});

for (const [what, text, limits] of [
  ["says nothing at all", "", { ...QUICK, keepAliveMs: 60_000 }],
  ["says nothing after an answer", `${GET}\r\n`, { ...QUICK, headersMs: 60_000 }],
] as const) {
  test(`who ${what} is let go of without a word`, async () => {
    const stage = await staged(echo, { limits });
    const seen = await exchange(stage.port, text === "" ? [] : [text]);
    assert.deepEqual(statuses(seen), text === "" ? [] : ["200"]);
    assert.deepEqual(stage.broken, []);
  });
}

test("an exchange without a byte either way ends, one with a byte now and then does not", async () => {
  const stage = await staged(
    ({ stream }, told) => {
      if (told === "request") stream.head({ status: 200, fields: NONE, contentLength: -1 }, "more");
    },
    { limits: { exchangeMs: 800, checkMs: 20 } },
  );
  const seen = exchange(stage.port, [`${GET}\r\n`]);
  await eventually("the request", () => stage.requests.length === 1);
  for (let index = 0; index < 10; index++) {
    stage.requests[0]?.stream.data(Buffer.from("x"), 0, 1, "more");
    await delay(120);
  }
  assert.equal(stage.requests[0]?.timesFinished, 0);
  assert.equal(await ended(stage), "timeout");
  assert.match(await seen, /1\r\nx\r\n/);
});

test("a client that does not close after our end is cut off", async () => {
  const stage = await staged(echo, { limits: QUICK });
  const socket = dial(stage.port);
  socket.allowHalfOpen = true;
  socket.write(`${GET}Connection: close\r\n\r\n`);
  await eventually(
    "the connection to be forgotten",
    () => stage.requests.length === 1 && stage.http.size === 0,
  );
  socket.destroy();
});

test("a refused body is read over, and the connection serves on", async () => {
  const stage = await staged(refuse);
  const body = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2_000);
  const last = `${GET}Connection: close\r\n\r\n`;
  const seen = await exchange(stage.port, [`${POST}${body.length}\r\n\r\n`, body, last]);
  assert.deepEqual(statuses(seen), ["403", "403"]);
  assert.equal(stage.requests.length, 2);
});

test("a refused body of more than 1 MiB ends the connection, and yet the answer arrives", async () => {
  const stage = await staged(refuse);
  const seen = await exchange(stage.port, [`${POST}2000000\r\n\r\n`, Buffer.alloc(500_000)]);
  assert.match(seen, /^HTTP\/1.1 403[\s\S]*Connection: close\r\n/);
});

test("a refused body in chunks without end is cut off", async () => {
  const stage = await staged(refuse);
  const socket = dial(stage.port);
  socket.write(`${GET.replace("GET", "POST")}Transfer-Encoding: chunked\r\n\r\n`);
  const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
  const pour = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", pour).resume();
  pour();
  await new Promise((resolve) => socket.once("close", resolve));
});

test("who was not told to continue may leave out the body: the connection ends with the answer", async () => {
  const stage = await staged(refuse);
  const head = `${POST}5\r\nExpect: 100-continue\r\n\r\n`;
  const seen = await exchange(stage.port, [`${head}${GET}\r\n`]);
  assert.match(seen, /^HTTP\/1.1 403[\s\S]*Connection: close\r\n/);
  assert.equal(stage.requests.length, 1);
});

test("who was told to continue keeps the connection", async () => {
  const stage = await staged((seen, told) => {
    if (told === "request" && seen.following === "more") seen.stream.interim(100);
    echo(seen, told);
  });
  const head = `${POST}5\r\nExpect: 100-continue\r\n\r\n`;
  const seen = await exchange(stage.port, [`${head}hello`, `${GET}Connection: close\r\n\r\n`]);
  assert.deepEqual(statuses(seen), ["100", "200", "200"]);
});

test("what a slow receiver has not passed on waits with the client: memory is bounded", async () => {
  const stage = await staged(silent);
  const socket = dial(stage.port);
  const total = 30_000_000;
  socket.write(`${POST}${total}\r\n\r\n`);
  socket.write(Buffer.alloc(total));
  await eventually("the server to hold back", () => stage.sockets[0]?.isPaused());
  await delay(100);
  const seen = stage.requests[0] ?? assert.fail("no request");
  assert.ok(seen.octets < 200_000, `${seen.octets} were given, none consumed`);
  while (!seen.isComplete) {
    seen.stream.consumed(seen.octets);
    await delay(1);
  }
  assert.equal(seen.octets, total);
  socket.destroy();
});

test("what a slow client has not read waits with the callee: memory is bounded", async () => {
  const piece = Buffer.alloc(65_536, "x");
  let sent = 0;
  const total = 400 * piece.length;
  const pump: Reaction = ({ stream }, told) => {
    if (told === "request")
      stream.head({ status: 200, fields: NONE, contentLength: total }, "more");
    if (told !== "request" && told !== "writable") return;
    for (let taken = 1; taken > 0 && sent < total; sent += taken) {
      const isLast = sent + piece.length === total;
      taken = stream.data(piece, 0, piece.length, isLast ? "last" : "more");
    }
  };
  const stage = await staged(pump);
  const socket = dial(stage.port);
  socket.pause();
  socket.write(`${GET}Connection: close\r\n\r\n`);
  await eventually("the request", () => stage.requests.length === 1);
  await delay(200);
  const waiting = stage.sockets[0]?.writableLength ?? 0;
  assert.ok(waiting < 300_000, `${waiting} wait in the socket`);
  let seen = 0;
  for await (const chunk of socket) seen += (chunk as Buffer).length;
  assert.ok(seen > total);
  assert.equal(await ended(stage), "answered");
  assert.ok((stage.requests[0]?.writables ?? 0) > 10);
});

test("retire: an idle connection ends now, a busy one after its answer, which says so", async () => {
  const stage = await staged(silent);
  const [idle, busy] = [dial(stage.port), dial(stage.port)];
  busy.write(`${GET}\r\n${GET}\r\n`);
  await eventually("both", () => stage.http.size === 2 && stage.requests.length === 1);
  const done = once(idle, "close");
  idle.resume();
  stage.http.expelWhere(() => true);
  await done;
  stage.requests[0]?.stream.answer(OK);
  let seen = "";
  for await (const chunk of busy) seen += chunk;
  assert.match(seen, /^HTTP\/1.1 200[\s\S]*Connection: close\r\n/);
  assert.equal(stage.requests.length, 1);
});

test("a connection that comes while all are drained serves one request", async () => {
  const stage = await staged(echo);
  stage.http.drain();
  const seen = await exchange(stage.port, [`${GET}\r\n${GET}\r\n`]);
  assert.deepEqual(statuses(seen), ["200"]);
  assert.match(seen, /Connection: close\r\n/);
});

test("a handler that throws lets nobody through", async () => {
  const stage = await staged((_, told) => {
    if (told === "request") throw new Error("a defect");
  });
  const seen = await exchange(stage.port, [`${GET}Connection: close\r\n\r\n`]);
  assert.deepEqual([statuses(seen), stage.broken], [["500"], ["500 a defect"]]);
});
