/** Whole connections as a client sees them: which requests are told, how each is answered, and when the connection ends. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { eventually } from "../../../test/kit/eventually.ts";
import {
  dial,
  echo,
  exchange,
  type HttpStage,
  startHttpStage,
} from "../../../test/kit/http-server-stage.ts";

const stages: HttpStage[] = [];
after(() => {
  for (const stage of stages) stage.close();
});

async function echoStage(): Promise<HttpStage> {
  const stage = await startHttpStage(echo);
  stages.push(stage);
  return stage;
}

const statuses = (seen: string): string =>
  (seen.match(/(?<=^HTTP\/1\.1 |\nHTTP\/1\.1 |HTTP\/1\.1 )\d{3}(?= [A-Z])/g) ?? []).join(" ");
const lastConnection = (seen: string): string =>
  [...seen.matchAll(/^Connection: (.*)\r$/gm)].at(-1)?.[1] ?? "none";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n";
const LAST = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const LINE = "GET / a HTTP/1.1";
const LAST_LINE = "GET /last a HTTP/1.1";

interface Case {
  readonly what: string;
  readonly text: string;
  /** Of all answers, in order. */
  readonly status: string;
  /** Lines of the requests that were told. */
  readonly told: readonly string[];
  readonly broken?: readonly string[];
  readonly bodies?: readonly string[];
}

const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\n";
const POST_LINE = "POST / a HTTP/1.1";

const cases: readonly Case[] = [
  { what: "a request that closes", text: LAST, status: "200", told: [LAST_LINE] },
  {
    what: "two requests in one packet",
    text: `${GET}\r\n${LAST}`,
    status: "200 200",
    told: [LINE, LAST_LINE],
  },
  {
    what: "HTTP/1.0",
    text: "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    status: "200",
    told: ["GET / a HTTP/1.0"],
  },
  {
    what: "HTTP/1.0 without a Host",
    text: "GET / HTTP/1.0\r\n\r\n",
    status: "200",
    told: ["GET / - HTTP/1.0"],
  },
  {
    what: "HTTP/1.0 that keeps the connection",
    text: `GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n${LAST}`,
    status: "200 200",
    told: ["GET / a HTTP/1.0", LAST_LINE],
  },
  {
    what: "AP-109: an absolute target",
    text: "GET http://b/c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    status: "200",
    told: ["GET /c b HTTP/1.1"],
  },
  {
    what: "a body by its length",
    text: `${POST}Content-Length: 5\r\n\r\nhello${LAST}`,
    status: "200 200",
    told: [POST_LINE, LAST_LINE],
    bodies: ["hello", ""],
  },
  {
    what: "a body in chunks, with extensions and trailers",
    text: `${POST}${CHUNKED}3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: 1\r\n\r\n${LAST}`,
    status: "200 200",
    told: [POST_LINE, LAST_LINE],
    bodies: ["hello", ""],
  },
  {
    what: "an empty body in chunks",
    text: `${POST}${CHUNKED}0\r\n\r\n${LAST}`,
    status: "200 200",
    told: [POST_LINE, LAST_LINE],
  },
  {
    what: "a blank line before a request",
    text: `${GET}\r\n\r\n${LAST}`,
    status: "200 200",
    told: [LINE, LAST_LINE],
  },
  {
    what: "QK-16: both framings",
    text: `${POST}Content-Length: 5\r\n${CHUNKED}0\r\n\r\n${LAST}`,
    status: "400",
    told: [],
    broken: ["400 http1.length_and_coding"],
  },
  {
    what: "a request behind a refused one",
    text: `${GET}\r\nno request\r\n\r\n${LAST}`,
    status: "200 400",
    told: [LINE],
    broken: ["400 http1.invalid_method"],
  },
  {
    what: "a head that is too large",
    text: `${GET}X: ${"x".repeat(70_000)}\r\n\r\n`,
    status: "431",
    told: [],
    broken: ["431 http1.head_too_large"],
  },
  {
    what: "a malformed chunk",
    text: `${POST}${CHUNKED}zz\r\n${LAST}`,
    status: "400",
    told: [POST_LINE],
  },
  {
    what: "a CONNECT that is refused as any other request",
    text: `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n${LAST}`,
    status: "200",
    told: ["CONNECT  a:80 HTTP/1.1"],
  },
  {
    what: "QK-14: an upgrade that is not honoured",
    text: `${GET}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n${LAST}`,
    status: "200",
    told: [LINE],
  },
  {
    what: "an upgrade to what is never granted",
    text: `${GET}Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n${LAST}`,
    status: "200 200",
    told: [LINE, LAST_LINE],
  },
];

for (const { what, text, status, told, broken = [], bodies } of cases) {
  test(`${what}: ${status || "no answer"}`, async () => {
    const stage = await echoStage();
    const seen = await exchange(stage.port, [text]);
    assert.equal(statuses(seen), status);
    assert.deepEqual(
      stage.requests.map(({ line }) => line),
      told,
    );
    assert.deepEqual(stage.broken, broken);
    if (status !== "") assert.equal(lastConnection(seen), "close");
    if (bodies !== undefined)
      assert.deepEqual(
        stage.requests.map(({ body }) => body),
        bodies,
      );
    for (const request of stage.requests) assert.equal(request.timesFinished, 1);
  });
}

test("fields go on but for those of this hop, of the framing and those that Connection names", async () => {
  const stage = await echoStage();
  const fields =
    "X-A: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\nX-B: 2\r\nExpect: 100-continue\r\nCookie: c\r\n";
  await exchange(stage.port, [
    `POST / HTTP/1.1\r\nHost: a\r\n${fields}Transfer-Encoding: chunked\r\nConnection: close, x-b, cookie\r\n\r\n0\r\n\r\n`,
  ]);
  assert.deepEqual(stage.requests[0]?.fields, ["Host: a", "X-A: 1", "Cookie: c"]);
});

test("an answer to HEAD has no body", async () => {
  const stage = await echoStage();
  const seen = await exchange(stage.port, [`HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${LAST}`]);
  assert.match(
    seen,
    /^HTTP\/1.1 200 OK[\s\S]*Content-Length: 17\r\n[\s\S]*\r\n\r\nHTTP\/1.1 200 OK/,
  );
});

const whole = `${GET}X-Long: ${"y".repeat(40)}\r\n\r\n${POST}${CHUNKED}5\r\nhello\r\n1;a="b"\r\n!\r\n0\r\nX-T: 1\r\n\r\n${POST}Content-Length: 3\r\n\r\nabc${LAST}`;

test("law: however the bytes are cut, the calls and the answers are the same", async () => {
  const stage = await echoStage();
  const withoutDate = (text: string): string => text.replace(/Date: [^\r]*\r\n/g, "");
  const expected = withoutDate(await exchange(stage.port, [whole]));
  const calls = (): readonly unknown[] =>
    stage.requests.map(({ line, fields, body, trailerFields }) => [
      line,
      fields,
      body,
      trailerFields,
    ]);
  const told = JSON.stringify(calls());
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      stage.requests.length = 0;
      const rising = [0, ...places.sort((one, other) => one - other), whole.length];
      const pieces = rising.slice(1).map((place, index) => whole.slice(rising[index], place));
      assert.equal(withoutDate(await exchange(stage.port, pieces)), expected);
      assert.equal(JSON.stringify(calls()), told);
    }),
    { numRuns: 60 },
  );
});

test("bytes one at a time", async () => {
  const stage = await echoStage();
  assert.equal(statuses(await exchange(stage.port, [...whole])), "200 200 200 200");
  assert.deepEqual(
    stage.requests.map(({ body }) => body),
    ["", "hello!", "abc", ""],
  );
});

test("pipelined requests are answered in order, and no further than their answers are read", async () => {
  const stage = await startHttpStage((seen, what) => {
    if (what === "request") seen.stream.answer({ ...OK, body: seen.line.padEnd(20_000) });
  });
  stages.push(stage);
  const count = 2_000;
  const numbers = Array.from({ length: count }, (_, index) => index);
  const socket = dial(stage.port);
  socket.pause();
  socket.write(numbers.map((index) => `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`).join("") + LAST);
  const held = await eventually("the server to hold back", async () => {
    const before = stage.requests.length;
    await delay(100);
    return before > 0 && before === stage.requests.length && before;
  });
  assert.ok(held < count, `${held} were judged although no answer was read`);
  let seen = "";
  for await (const chunk of socket) seen += chunk;
  const bodies = [...seen.matchAll(/\r\n\r\nGET \/(\d+) a HTTP\/1\.1/g)];
  assert.deepEqual(
    bodies.map(([, number]) => Number(number)),
    numbers,
  );
  assert.equal(stage.requests.length, count + 1);
});

const OK = { status: 200, body: "ok", flags: "-", details: "test" } as const;
