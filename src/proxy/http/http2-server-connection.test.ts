/** HTTP/2 connections on real sockets: with node:http2 as the client, and with frames that no client would send. */
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
} from "node:http2";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
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
import {
  block,
  data,
  type Field,
  frame,
  framesOf,
  headers,
  opening,
  POST,
  reset,
  GET as SHOP,
  sayFrame,
} from "../../../test/kit/http2-frames.ts";
import { FRAME } from "../../http/http2/frame.ts";
import { RESET_BUDGET } from "../../http/http2/limits.ts";
import { HeldFields } from "./held-fields.ts";

const cleanUp: (() => void)[] = [];
after(() => {
  for (const one of cleanUp) one();
});

async function staged(react: Reaction, options: HttpStageOptions = {}): Promise<HttpStage> {
  const stage = await startHttpStage(react, { ...options, protocol: "HTTP/2" });
  cleanUp.push(() => stage.close());
  return stage;
}

function sessionTo({ port }: HttpStage): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  cleanUp.push(() => session.destroy());
  return session;
}

async function answerOf(stream: ClientHttp2Stream) {
  let status = 0;
  let body = "";
  let trailers: Record<string, unknown> = {};
  let fields: Record<string, unknown> = {};
  stream.on("response", (headers) => {
    status = headers[":status"] ?? 0;
    fields = headers;
  });
  stream.on("trailers", (found) => {
    trailers = found;
  });
  stream.on("data", (chunk: Buffer) => {
    if (body.length < 100_000) body += chunk.toString("latin1");
  });
  // `once` would throw what the code says.
  await new Promise((resolve) => stream.on("error", () => {}).once("close", resolve));
  return { status, body, fields, trailers, code: stream.rstCode };
}

const OK = { status: 200, body: "ok", flags: "-", details: "test" } as const;
const NONE = HeldFields.borrow();
const PATH = { ":path": "/a?b=c", ":authority": "shop" };
const silent: Reaction = () => {};
const refuse: Reaction = ({ stream }, told) => {
  if (told === "request") stream.answer({ ...OK, status: 403, headers: ["X-A", "1"] });
};

function withFields(...fields: readonly Field[]): HeldFields {
  const held = HeldFields.borrow();
  for (const [name, value] of fields) held.add(name, value);
  return held;
}

async function ended({ requests }: HttpStage, index = 0): Promise<string> {
  await eventually("the end of the exchange", () => requests[index]?.timesFinished === 1);
  return requests[index]?.why?.cause ?? "answered";
}

test("a request with body and trailers, and an answer with both", async () => {
  const stage = await staged((seen, told) => {
    if (told === "data") seen.stream.consumed(seen.octets);
    if (told !== "data" || !seen.isComplete) return;
    const fields = withFields(["X-Upper", "1"], ["connection", "x"], ["set-cookie", "c"]);
    seen.stream.interim(103, withFields(["link", "x"]));
    seen.stream.head({ status: 201, fields, contentLength: -1 }, "more");
    seen.stream.data(Buffer.from(seen.body), 0, 5, "more");
    seen.stream.trailers(withFields(["grpc-status", "0"]));
  });
  const request = {
    ...PATH,
    ":method": "POST",
    "x-a": "1",
    te: "trailers",
    expect: "100-continue",
  };
  const stream = sessionTo(stage).request(request, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-t": "2" }));
  stream.end("hello");
  const { status, body, fields, trailers, code } = await answerOf(stream);
  assert.deepEqual([status, body, code], [201, "hello", 0]);
  assert.equal(fields["x-upper"], "1");
  assert.equal(fields["connection"], undefined);
  assert.equal(trailers["grpc-status"], "0");
  const [seen] = stage.requests;
  assert.equal(seen?.line, "POST /a?b=c shop HTTP/2");
  assert.deepEqual(seen?.fields, ["x-a: 1", "te: trailers"]);
  assert.deepEqual(seen?.trailerFields, ["x-t: 2"]);
  assert.equal(await ended(stage), "answered");
});

test("an answer of our own, to GET and to HEAD", async () => {
  const stage = await staged(refuse);
  const session = sessionTo(stage);
  for (const [method, expected] of [
    ["GET", "ok"],
    ["HEAD", ""],
  ] as const) {
    const { status, body, fields } = await answerOf(
      session.request({ ...PATH, ":method": method }),
    );
    assert.deepEqual(
      [status, body, fields["content-length"], fields["x-a"]],
      [403, expected, "2", "1"],
    );
  }
});

test("after an early answer the rest of the request is not needed", async () => {
  const stage = await staged(refuse);
  const stream = sessionTo(stage).request({ ...PATH, ":method": "POST" });
  stream.write("the beginning");
  const { status, code } = await answerOf(stream);
  assert.deepEqual([status, code, await ended(stage)], [403, 0, "answered"]);
});

test("an answer of our own waits for the client's window", async () => {
  const stage = await staged(({ stream }, told) => {
    if (told === "request") stream.answer({ ...OK, body: "x".repeat(5_000) });
  });
  const session = connectHttp2(`http://127.0.0.1:${stage.port}`, {
    settings: { initialWindowSize: 100 },
  });
  cleanUp.push(() => session.destroy());
  const { body } = await answerOf(session.request(PATH));
  assert.equal(body, "x".repeat(5_000));
});

test("2,000 streams one after the other, and 100 at a time", async () => {
  const stage = await staged(echo);
  const session = sessionTo(stage);
  for (let round = 0; round < 20; round++) {
    const batch = Array.from({ length: 100 }, (_, index) =>
      answerOf(session.request({ ...PATH, ":path": `/${round}-${index}` })),
    );
    for (const [index, answer] of batch.entries()) {
      assert.equal((await answer).body, `GET /${round}-${index} shop HTTP/2`);
    }
  }
  for (let index = 0; index < 2_000; index++) await answerOf(session.request(PATH));
  assert.equal(stage.requests.length, 4_000);
  for (const { timesFinished } of stage.requests) assert.equal(timesFinished, 1);
});

test("what a slow receiver has not passed on waits with the client: memory is bounded", async () => {
  const stage = await staged(silent);
  const stream = sessionTo(stage).request({ ...PATH, ":method": "POST" });
  const total = 20_000_000;
  stream.end(Buffer.alloc(total));
  await eventually("the request", () => stage.requests.length === 1);
  await delay(200);
  const seen = stage.requests[0] ?? assert.fail("no request");
  assert.ok(seen.octets <= 262_144, `${seen.octets} were given, none consumed`);
  let consumed = 0;
  while (!seen.isComplete) {
    const step = seen.octets - consumed;
    consumed += step;
    seen.stream.consumed(step);
    await delay(1);
  }
  assert.equal(seen.octets, total);
});

test("what a slow client has not read waits with the callee", async () => {
  const piece = Buffer.alloc(65_536, "x");
  const total = 300 * piece.length;
  let sent = 0;
  const stage = await staged(({ stream }, told) => {
    if (told === "request") stream.head({ status: 200, fields: NONE, contentLength: -1 }, "more");
    if (told !== "request" && told !== "writable") return;
    for (;;) {
      const length = Math.min(piece.length, total - sent);
      const taken = stream.data(piece, 0, length, sent + length === total ? "last" : "more");
      sent += taken;
      if (taken < length || sent === total) return;
    }
  });
  const stream = sessionTo(stage).request(PATH);
  await eventually("the beginning of the answer", () => sent > 0);
  await delay(200);
  assert.ok(sent < 1_000_000, `${sent} were taken, none read`);
  let seen = 0;
  stream.on("data", (chunk: Buffer) => {
    seen += chunk.length;
  });
  await once(stream, "close");
  assert.equal(seen, total);
});

test("a client that resets its stream, or leaves", async () => {
  const stage = await staged(silent);
  const session = sessionTo(stage);
  const [one] = [session.request(PATH), session.request(PATH)];
  one?.on("error", () => {});
  await eventually("both requests", () => stage.requests.length === 2);
  one?.close(8);
  assert.equal(await ended(stage, 0), "reset");
  session.destroy();
  assert.match(await ended(stage, 1), /closed|reset/);
  await eventually("the connection to be forgotten", () => stage.http.size === 0);
});

test("an answer that is reset ends its stream alone", async () => {
  const stage = await staged((seen, told) => {
    if (seen.line.includes("/reset") && told === "request") seen.stream.reset();
    else if (told === "request") echo(seen, told);
  });
  const session = sessionTo(stage);
  const broken = session.request({ ...PATH, ":path": "/reset" });
  assert.equal((await answerOf(broken)).code, 2);
  assert.equal((await answerOf(session.request(PATH))).status, 200);
});

test("retire: open streams are served to the end, then the connection ends", async () => {
  const stage = await staged(silent);
  const session = sessionTo(stage);
  const answer = answerOf(session.request(PATH));
  await eventually("the request", () => stage.requests.length === 1);
  const goaway = once(session, "goaway");
  stage.http.drain();
  await goaway;
  stage.requests[0]?.stream.answer(OK);
  assert.equal((await answer).body, "ok");
  await eventually("the connection to be forgotten", () => stage.http.size === 0);
});

test("an idle connection ends, with a GOAWAY", async () => {
  const limits = { keepAliveMs: 500, lingerMs: 50, checkMs: 20 };
  const stage = await staged(echo, { limits });
  const session = sessionTo(stage);
  await answerOf(session.request(PATH));
  await once(session, "goaway");
  await eventually("the connection to be forgotten", () => stage.http.size === 0);
});

test("a stream without a byte either way ends alone", async () => {
  const stage = await staged(silent, { limits: { exchangeMs: 80, checkMs: 20 } });
  const session = sessionTo(stage);
  assert.equal((await answerOf(session.request(PATH))).code, 8);
  assert.equal(await ended(stage), "timeout");
  assert.equal(session.destroyed, false);
});

test("a client that does not acknowledge our settings is let go", async () => {
  const stage = await staged(silent, { limits: { settingsMs: 500, checkMs: 20, lingerMs: 50 } });
  const said = await frames(stage, [opening("client").subarray(0, 24 + 9), headers(1, SHOP)]);
  assert.deepEqual(said, ["GOAWAY 1 SETTINGS_TIMEOUT"]);
  assert.equal(await ended(stage), "malformed");
});

/** What a client says that sends all this, and what it is told until the server ends. */
async function frames(stage: HttpStage, pieces: readonly Buffer[]): Promise<string[]> {
  const seen = Buffer.from(await exchange(stage.port, pieces), "latin1");
  return framesOf(seen)
    .map(sayFrame)
    .filter((line) => !/^(SETTINGS|WINDOW_UPDATE|PING)/.test(line));
}

const SLOW = headers(3, SHOP);
for (const [what, first] of [
  ["a head that comes", SLOW.subarray(0, 20)],
  ["a head of several frames that comes", frame(FRAME.HEADERS, 0, 3, block(...SHOP))],
  ["a frame that comes", SLOW.subarray(0, 3)],
] as const) {
  test(`${what} octet by octet ends the connection in time`, async () => {
    const stage = await staged(silent, { limits: { headersMs: 300, checkMs: 20, lingerMs: 50 } });
    const socket = await dial(stage.port);
    let received = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
    });
    socket.write(Buffer.concat([opening("client"), first]));
    const dripped = what === "a frame that comes" ? Buffer.alloc(1) : Buffer.from([0]);
    const drip = setInterval(() => socket.write(dripped), 100);
    const begun = performance.now();
    await once(socket, "close");
    clearInterval(drip);
    assert.ok(performance.now() - begun > 300);
    assert.match(framesOf(received).map(sayFrame).at(-1) ?? "", /^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
  });
}

test("a client whose heads come in parts, one after the other, may stay", async () => {
  const limits = { headersMs: 600, checkMs: 10 };
  const stage = await staged(refuse, { limits });
  const socket = await dial(stage.port);
  let received = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
  });
  socket.write(Buffer.concat([opening("client"), headers(1, SHOP).subarray(0, 5)]));
  for (let id = 1; id <= 15; id += 2) {
    await delay(100); // all together longer than one head may take, each by far not
    const rest = headers(id, SHOP).subarray(5);
    socket.write(Buffer.concat([rest, headers(id + 2, SHOP).subarray(0, 5)]));
  }
  await eventually("all answers", () => {
    const ends = framesOf(received)
      .map(sayFrame)
      .filter((line) => line === "DATA 15 END");
    return ends.length === 1;
  });
  socket.destroy();
});

test("bytes that are no HTTP/2 are told, and the connection ends", async () => {
  const stage = await staged(echo);
  const said = await frames(stage, [Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]);
  assert.deepEqual(said, ["GOAWAY 0 PROTOCOL_ERROR"]);
  assert.deepEqual(stage.broken, ["- http2.protocol_error"]);
});

test("a malformed request is told; the same of a body ends its exchange", async () => {
  const stage = await staged(silent);
  const socket = dial(stage.port);
  socket.write(opening("client"));
  socket.write(headers(1, SHOP.slice(1)));
  await eventually("the fault", () => stage.broken.length === 1);
  assert.deepEqual(stage.broken, ["- http2.protocol_error"]);
  socket.write(headers(3, [...POST, ["content-length", "3"]], "more"));
  socket.write(data(3, "four", "last"));
  assert.equal(await ended(stage), "malformed");
  assert.equal(stage.broken.length, 1);
  socket.destroy();
});

test("CVE-2023-44487: streams that are opened and reset without end end the connection", async () => {
  const stage = await staged(silent);
  const pieces = Array.from({ length: 2_000 }, (_, index) => [
    headers(2 * index + 1, SHOP),
    reset(2 * index + 1, 8),
  ]).flat();
  const said = await frames(stage, [opening("client"), Buffer.concat(pieces)]);
  assert.match(said.at(-1) ?? "", /^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
  assert.ok(
    stage.requests.length <= RESET_BUDGET.burst + 1,
    `${stage.requests.length} were judged`,
  );
  await eventually("every exchange to end", () =>
    stage.requests.every(({ timesFinished }) => timesFinished === 1),
  );
});

const whole = Buffer.concat([
  opening("client"),
  headers(1, SHOP),
  headers(3, [...POST, ["x-a", "1"]], "more"),
  data(3, "hel"),
  headers(5, SHOP),
  data(3, "lo", "last"),
  Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
]);

test("law: however the bytes are cut, the calls and the answers are the same", async () => {
  const stage = await staged(echo);
  const calls = (): string =>
    JSON.stringify(stage.requests.map(({ line, fields, body }) => [line, fields, body]));
  const said = async (pieces: readonly Buffer[]): Promise<string[]> =>
    (await frames(stage, pieces)).sort();
  const expected = await said([whole]);
  const told = calls();
  assert.deepEqual(expected, [
    "DATA 1 END",
    "DATA 3 END",
    "DATA 5 END",
    "HEADERS 1",
    "HEADERS 3",
    "HEADERS 5",
  ]);
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      stage.requests.length = 0;
      const rising = [0, ...places.sort((one, other) => one - other), whole.length];
      const pieces = rising.slice(1).map((place, index) => whole.subarray(rising[index], place));
      assert.deepEqual(await said(pieces), expected);
      assert.equal(calls(), told);
    }),
    { numRuns: 40 },
  );
});
