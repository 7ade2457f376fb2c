/** What goes on of a head that came in HTTP/1, either way, through the code that serves. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import { ForwardingStages } from "../../../test/kit/forwarding-stage.ts";

const stages = new ForwardingStages();
after(() => stages.close());

const lines = (...all: readonly string[]): string => [...all, "", ""].join("\r\n");
const OK = lines("HTTP/1.1 200 OK", "Content-Length: 2").concat("ok");

interface Carried {
  /** What the callee has read. */
  readonly request: string;
  /** What the client has read. */
  readonly answer: string;
}

interface CarryOptions {
  readonly answer?: string;
  /** What the callee's bytes end with when they are complete. */
  readonly until?: string;
}

/** One request after the other over one connection, each once the one before is answered. */
async function carry(
  texts: readonly string[],
  { answer = OK, until = "\r\n\r\n" }: CarryOptions = {},
): Promise<Carried> {
  let request = "";
  const callee = await stages.listening((socket: Socket) => {
    socket.on("data", (bytes: Buffer) => {
      request += bytes.toString("latin1");
      if (request.endsWith(until)) socket.end(Buffer.from(answer, "latin1"));
    });
  });
  const { port } = await stages.forwardingTo(callee);
  const [first = "", ...others] = texts.map((text) => Buffer.from(text, "latin1"));
  const { socket, seen } = stages.client(port, first);
  await eventually("an answer", () => seen().includes("\r\n\r\n"));
  for (const text of others) {
    const before = seen().length;
    request = "";
    socket.write(text);
    await eventually("a further answer", () => seen().slice(before).includes("\r\n\r\n"));
  }
  return { request, answer: seen() };
}

/** What goes on of a request. */
async function forwarded(text: string, options: CarryOptions = {}): Promise<string> {
  return (await carry([text], options)).request;
}

/** What goes on of an answer without a body. */
async function answered(text: string): Promise<string> {
  const { answer } = await carry([lines(GET, "Host: a", "Connection: close")], { answer: text });
  return answer.replace("[end]", "");
}

const GET = "GET /a HTTP/1.1";

test("what nothing changes goes on as it came, but for white space that says nothing", async () => {
  const long = `Y: ${"long".repeat(99)}\xff`;
  const text = lines(GET, "hOsT:a", "X: \t b \t ", "eMpTy:", long);
  assert.equal(await forwarded(text), lines(GET, "Host: a", "X: b", "eMpTy: ", long));
  const blank = `\r\n${lines(GET, "Host: a")}`;
  assert.equal(await forwarded(blank), lines(GET, "Host: a"));
});

test("RFC 9110 2.5: what goes on is HTTP/1.1", async () => {
  const old = lines("GET /a HTTP/1.0", "Host: a", "X: 1");
  assert.equal(await forwarded(old), lines(GET, "Host: a", "X: 1"));
  const nobody = lines("GET /a HTTP/1.0", "X: 1");
  assert.equal(await forwarded(nobody), lines(GET, "Host: ", "X: 1"));
  const ending = ["Content-Length: 0", "Connection: close"];
  const answer = lines("HTTP/1.0 200 Old", "X: 1", "Content-Length: 0");
  assert.equal(await answered(answer), lines("HTTP/1.1 200 OK", "X: 1", ...ending));
});

test("a status without a usual reason goes on with none", async () => {
  const ending = ["Content-Length: 0", "Connection: close"];
  const answer = lines("HTTP/1.1 299 Whatever", "Content-Length: 0");
  assert.equal(await answered(answer), lines("HTTP/1.1 299 ", ...ending));
});

const HOP = [
  "Keep-Alive: 2",
  "Connection: close, X-Gone",
  "TE: trailers",
  "Upgrade: h2c",
  "Proxy-Connection: x",
  "Proxy-Authorization: x",
  "Proxy-Authenticate: x",
  "Trailer: X",
  "HTTP2-Settings: x",
];

test("RFC 9110 7.6.1: what is for one hop does not go on, wherever it stands", async () => {
  const expectation = "Expect: 100-continue";
  const text = lines(GET, ...HOP, expectation, "Host: a", "x-gone: 1", "B: 2", ...HOP);
  assert.equal(await forwarded(text), lines(GET, "Host: a", "B: 2"));
});

test("RFC 9110 7.6.1: nor does it in an answer", async () => {
  const text = lines("HTTP/1.1 200 OK", ...HOP, "A: 1", "x-GONE: 1", "Content-Length: 0", ...HOP);
  const ending = ["Content-Length: 0", "Connection: close"];
  assert.equal(await answered(text), lines("HTTP/1.1 200 OK", "A: 1", ...ending));
});

for (const name of [
  "Authorization",
  "Cookie",
  "Forwarded",
  "X-Request-Id",
  "X-Forwarded-For",
  "X-Forwarded-Client-Cert",
  "X-Forwarded-Anything",
]) {
  test(`Connection cannot take ${name} away`, async () => {
    const text = lines(GET, "Host: a", `${name}: 5`, `Connection: close,${name.toLowerCase()} ,x`);
    assert.equal(await forwarded(text), lines(GET, "Host: a", `${name}: 5`));
  });
}

test("Connection cannot take Host away", async () => {
  const text = lines(GET, "Host: a", "Connection: host");
  assert.equal(await forwarded(text), lines(GET, "Host: a"));
});

test("Connection cannot take the framing away", async () => {
  const post = "POST / HTTP/1.1";
  const sized = lines(post, "Host: a", "Content-Length: 5", "Connection: content-length");
  assert.equal(
    await forwarded(`${sized}hello`, { until: "hello" }),
    `${lines(post, "Host: a", "Content-Length: 5")}hello`,
  );
  const coding = "Transfer-Encoding: chunked";
  const chunked = lines(post, "Host: a", coding, "Connection: transfer-encoding");
  const body = "5;x\r\nhello\r\n0\r\n\r\n";
  assert.equal(
    await forwarded(`${chunked}${body}`, { until: "0\r\n\r\n" }),
    `${lines(post, "Host: a", coding)}${body.replace(";x", "")}`,
  );
});

test("Connection takes away what else it names, known or not", async () => {
  const options = "Connection: b, Accept-Encoding";
  const text = lines(GET, "Accept-Encoding: x", "Host: a", "B: 1", options);
  assert.equal(await forwarded(text), lines(GET, "Host: a"));
});

test("AP-109, QK-6: an absolute form goes on as a path, and its authority as Host", async () => {
  for (const [target, path, host] of [
    ["http://b:8080/a?c", "/a?c", "b:8080"],
    ["http://b", "/", "b"],
    ["https://b?c", "/?c", "b"],
  ]) {
    const text = lines(`GET ${target} HTTP/1.1`, "Host: other", "X: 1");
    assert.equal(await forwarded(text), lines(`GET ${path} HTTP/1.1`, `Host: ${host}`, "X: 1"));
  }
});

test("RFC 9110 7.8: the one upgrade that goes on is written anew", async () => {
  const text = lines(GET, "Host: a", "Connection: Upgrade, x", "Upgrade: WebSocket", "X: 1");
  const upgrade = ["Connection: upgrade", "Upgrade: websocket"];
  assert.equal(await forwarded(text), lines(GET, "Host: a", ...upgrade));
});

test("what was said of one head is not said of the next", async () => {
  const first = lines("GET http://b/ HTTP/1.1", "Host: a", "TE: x", "B: 1", "Connection: b, C");
  const second = lines(GET, "Host: a", "B: 1", "C: 2", "TE: x");
  const { request } = await carry([first, second]);
  assert.equal(request, lines(GET, "Host: a", "B: 1", "C: 2"));
});
