/** Requests that are meant to be read in two ways, to be lost, or to cost more than they should. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  startTestSidecar,
  type TestSidecar,
  type ViewOptions,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { PortProtocol } from "../api/service.ts";

const mesh = createThrowawayAuthority();
const sidecars: TestSidecar[] = [];
after(() => Promise.all(sidecars.map(({ sidecar }) => sidecar.close())));

interface Stage extends TestSidecar {
  readonly port: number;
  readonly received: readonly IncomingMessage[];
}

const NO_POSTS = policy("DENY", "no-posts", { to: [{ methods: ["POST"] }] });

/** `api` behind its sidecar, on a port that also serves plaintext. */
async function stage(
  options: Partial<ViewOptions> & {
    readonly protocol?: PortProtocol;
    readonly serve?: (response: ServerResponse) => void;
  } = {},
): Promise<Stage> {
  const { protocol = "http", serve = (response) => response.end("ok"), ...rest } = options;
  const received: IncomingMessage[] = [];
  const application = createServer((incoming, response) => {
    received.push(incoming);
    incoming.resume();
    serve(response);
  });
  await once(application.listen(0, LOOPBACK).unref(), "listening");
  const port = await freePort();
  const to = { listen: port, application: portOf(application), mode: "PERMISSIVE" } as const;
  const ports = [inboundPort({ ...to, protocol })];
  const view = workloadView({ rootsPem: [mesh.rootPem], ports, ...rest });
  const started = await startTestSidecar({ view, svid: mesh.svid(idOf("api")) });
  sidecars.push(started);
  return { ...started, port, received };
}

function dial(port: number): Socket {
  const socket = connect({ port, host: LOOPBACK });
  return socket.on("error", () => socket.destroy());
}

/** Sends the text as it is; what comes back until the other side closes. */
async function raw(port: number, text: string): Promise<string> {
  const socket = dial(port);
  socket.write(text, "latin1");
  let seen = "";
  for await (const chunk of socket) seen += chunk;
  return seen;
}

const statuses = (seen: string): readonly string[] => seen.match(/(?<=HTTP\/1\.1 )\d+/g) ?? [];
const CLOSE = "Host: a\r\nConnection: close\r\n";

test("an expectation that is not served is refused after policy, and logged", async () => {
  const { port, entries, received } = await stage({ policies: [NO_POSTS] });
  const ask = async (method: string): Promise<string> =>
    raw(port, `${method} / HTTP/1.1\r\n${CLOSE}Expect: foo\r\n\r\n`);
  assert.deepEqual(statuses(await ask("POST")), ["403"]);
  assert.deepEqual(statuses(await ask("GET")), ["417"]);
  await eventually("both entries", () => entries.length === 2);
  assert.deepEqual(
    entries.map(({ response_code, decision }) => [response_code, decision?.verdict]),
    [
      [403, "deny"],
      [417, "allow"],
    ],
  );
  assert.equal(received.length, 0);
});

test("who is denied is not told to continue, and the connection ends", async () => {
  const { port, entry } = await stage({ policies: [NO_POSTS] });
  const seen = await raw(
    port,
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
  );
  assert.deepEqual(statuses(seen), ["403"]);
  assert.match(seen, /connection: close/i);
  assert.equal((await entry()).response_code, 403);
});

test("who may go on is told to continue, but not in HTTP/1.0", async () => {
  const { port } = await stage();
  const text = "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi";
  assert.deepEqual(statuses(await raw(port, `PUT / HTTP/1.1\r\n${CLOSE}${text}`)), ["100", "200"]);
  assert.deepEqual(statuses(await raw(port, `PUT / HTTP/1.0\r\n${CLOSE}${text}`)), ["200"]);
});

for (const [protocol, body, urls] of [
  ["websocket", "\r\n", ["/one"]],
  ["websocket", "Content-Length: 2\r\n\r\nhi", ["/one", "/two"]],
  ["h2c", "\r\n", ["/one", "/two"]],
] as const) {
  test(`QK-14: what follows an upgrade to ${protocol} that is not granted (${JSON.stringify(body)})`, async () => {
    const { port, received } = await stage();
    const upgrade = `GET /one HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: ${protocol}\r\n`;
    const next = `GET /two HTTP/1.1\r\n${CLOSE}\r\n`;
    const seen = await raw(port, `${upgrade}${body}${next}`);
    assert.deepEqual(
      statuses(seen),
      urls.map(() => "200"),
    );
    assert.match(seen, /connection: close/i);
    assert.deepEqual(
      received.map(({ url }) => url),
      urls,
    );
  });
}

const CODED = "0\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n";
for (const [what, head, status] of [
  ["in HTTP/1.0", "HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked", "400"],
  ["that is unknown", "HTTP/1.1\r\nTransfer-Encoding: cow, chunked", "501"],
  ["given twice", "HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "501"],
] as const) {
  test(`QK-16: behind a refused transfer coding ${what} the connection ends`, async () => {
    const { port, received } = await stage();
    const seen = await raw(port, `POST /one ${head}\r\nHost: a\r\n\r\n${CODED}`);
    assert.deepEqual(statuses(seen), [status]);
    assert.match(seen, /connection: close/i);
    assert.equal(received.length, 0);
  });
}

for (const [what, line, host] of [
  ["RFC 9112 3.2: a URL without a Host header", "GET http://a/ HTTP/1.1", ""],
  ["RFC 9112 3.2.4: a star that is not for OPTIONS", "GET * HTTP/1.1", "Host: a\r\n"],
  ["a method of RTSP", "DESCRIBE / RTSP/1.0", "Host: a\r\n"],
] as const) {
  test(`${what} is refused`, async () => {
    const { port, received } = await stage();
    const seen = await raw(port, `${line}\r\n${host}Connection: close\r\n\r\n`);
    assert.deepEqual(statuses(seen), ["400"]);
    assert.equal(received.length, 0);
  });
}

test("AP-80: a field that Connection names is judged as it was received", async () => {
  const when = [{ key: "request.headers[x-blocked]", values: ["yes"], notValues: [], line: 1 }];
  const { port, received } = await stage({ policies: [policy("DENY", "no-blocked", { when })] });
  const ask = (value: string): Promise<string> =>
    raw(
      port,
      `GET / HTTP/1.1\r\nHost: a\r\nX-Blocked: ${value}\r\nConnection: close, x-blocked\r\n\r\n`,
    );
  assert.deepEqual(statuses(await ask("yes")), ["403"]);
  assert.deepEqual(statuses(await ask("no")), ["200"]);
  assert.equal(received[0]?.headers["x-blocked"], undefined);
});

test("Connection takes neither the host away nor the request's id", async () => {
  const { port, received } = await stage();
  await raw(
    port,
    "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: one\r\nConnection: close, x-request-id, host\r\n\r\n",
  );
  const { headers } = received[0] ?? assert.fail("nothing was received");
  assert.equal(headers["x-request-id"], "one");
  assert.equal(headers.host, "a");
});

for (const [what, before, status] of [
  ["a blank line", "\r\n", "200"],
  ["several blank lines", "\n\r\n\r", "400"],
] as const) {
  test(`OBS-32: on an auto port ${what} before a request does not carry a forged caller in`, async () => {
    const { port, received, entry } = await stage({ protocol: "auto" });
    const forged = "X-Forwarded-Client-Cert: URI=spiffe://x/admin\r\n";
    const seen = await raw(port, `${before}GET / HTTP/1.1\r\n${CLOSE}${forged}\r\n`);
    assert.deepEqual(statuses(seen), [status]);
    assert.equal(received[0]?.headers["x-forwarded-client-cert"], undefined);
    assert.equal((await entry()).protocol, "HTTP/1.1");
  });
}

for (const line of ["GET /", "DESCRIBE / RTSP/1.0", "get / HTTP/1.1", "GET / HTTP/2.0"]) {
  test(`OBS-32: "${line}" on an auto port is refused rather than carried as bytes`, async () => {
    const { port, received } = await stage({ protocol: "auto" });
    const seen = await raw(
      port,
      `${line}\r\nX-Forwarded-Client-Cert: URI=spiffe://x/admin\r\n\r\n`,
    );
    assert.match(statuses(seen)[0] ?? "", /^(400|505)$/);
    assert.equal(received.length, 0);
  });
}

test("what a stranger writes is told in the log at its beginning only", async () => {
  const { port, entry } = await stage();
  const long = "x".repeat(5_000);
  const names = ["User-Agent", "X-Request-Id", "X-Forwarded-For"];
  const fields = names.map((name) => `${name}: ${long}\r\n`).join("");
  await raw(port, `GET /${long} HTTP/1.1\r\nHost: ${long}\r\nConnection: close\r\n${fields}\r\n`);
  const written = await entry();
  const clipped = `${long.slice(0, 1_024)}…`;
  assert.equal(written.path, `/${long.slice(0, 1_023)}…`);
  for (const name of ["authority", "user_agent", "request_id", "x_forwarded_for"] as const) {
    assert.equal(written[name], clipped, name);
  }
});

const junk = "no request\r\n".repeat(100_000);
for (const [what, text, status] of [
  ["headers without end", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(2_000_000)}`, 431],
  ["no request", junk, 400],
  [
    "a body that is malformed",
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n${junk}`,
    400,
  ],
] as const) {
  test(`${what}: answered and logged once, however much comes`, async () => {
    const { port, entries, entry } = await stage();
    await raw(port, text).catch((error: Error) => assert.match(error.message, /ECONNRESET|EPIPE/));
    assert.equal((await entry()).response_code, status);
    await delay(50);
    assert.equal(entries.length, 1);
  });
}

test("bytes behind a whole request do not spoil its answer", async () => {
  const { port, entries } = await stage({
    serve: (response) => setTimeout(() => response.end("slow"), 50),
  });
  const seen = await raw(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\nno request at all\r\n\r\n");
  assert.deepEqual(statuses(seen), ["200", "400"]);
  assert.match(seen, /slow/);
  await eventually("both entries", () => entries.length === 2);
  assert.deepEqual(new Set(entries.map((one) => one.response_code)), new Set([200, 400]));
});

/** Node 24 does not tell of a client that leaves while nothing is read of it: that shows when it is written to. */
const isLeavingTold = Number(process.versions.node.split(".")[0]) < 24;

test("however many requests come at once, one is served at a time, and the others wait with the client", async () => {
  const { port, received, entry } = await stage({ serve: () => {} });
  const socket = dial(port);
  const text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000);
  const closed = once(socket, "close");
  let isTaken = true;
  for (let sent = 0; sent < 2_000 && isTaken; sent++) isTaken = socket.write(text);
  await eventually("the first", () => received.length === 1);
  await delay(100);
  assert.equal(received.length, 1);
  socket.destroy();
  await closed;
  if (isLeavingTold) assert.equal((await entry()).response_flags, "DC");
});

test("a request whose client left is let go of, and logged; what came behind it never was one", async () => {
  const open = new Set<Socket>();
  const { port, received, entries } = await stage({
    serve(response) {
      const { socket } = response;
      if (socket === null) return;
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      response.write("for ever");
    },
  });
  const socket = dial(port);
  socket.write("GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(socket, "data");
  socket.destroy();
  await eventually("its entry", () => entries.length === 1);
  await eventually("the connection to the application to close", () => open.size === 0);
  assert.deepEqual([entries[0]?.response_flags, received.length], ["DC", 1]);
});
