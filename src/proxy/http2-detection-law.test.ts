/** The law of detection for HTTP/2: what a server of it takes for a connection is never served as opaque bytes. */
import assert from "node:assert/strict";
import { createServer, type ServerHttp2Session } from "node:http2";
import { Duplex } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { detectHttp, detectHttpFraming } from "./protocol-detection.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS = "\0\0\0\x04\0\0\0\0\0";
/** GET / of "a", in one HEADERS frame that ends headers and stream. */
const REQUEST = "\0\0\x06\x01\x05\0\0\0\x01\x82\x84\x86\x41\x01a";

/** Whether node:http2 sees a request. */
function nodeAccepts(bytes: Buffer): Promise<boolean> {
  let accepted = false;
  const sessions: ServerHttp2Session[] = [];
  const server = createServer();
  server.on("stream", (stream) => {
    accepted = true;
    stream.on("error", () => {});
  });
  server.on("session", (session) => sessions.push(session));
  server.on("sessionError", () => {});
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  socket.on("error", () => {});
  server.emit("connection", socket);
  socket.push(bytes);
  return new Promise((resolve) => {
    setTimeout(() => {
      for (const session of sessions) session.destroy();
      socket.destroy();
      resolve(accepted);
    }, 20);
  });
}

/** The first of each is what a client of HTTP/2 sends. */
function mostly(usual: string, ...others: string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { arbitrary: fc.constant(usual), weight: 6 },
    { arbitrary: fc.constantFrom(...others), weight: 1 },
  );
}

const connections = fc
  .tuple(
    mostly("", "\r\n", "\n", " ", "\0"),
    mostly("PRI", "pri", "PR", "GET"),
    mostly(" * HTTP/2.0", "  * HTTP/2.0", " / HTTP/2.0", " * HTTP/2", " * HTTP/1.1", " * http/2.0"),
    mostly("\r\n\r\n", "\n\n", "\r\n", "\r\nHost: a\r\n\r\n"),
    mostly("SM", "sm", "SN", ""),
    mostly("\r\n\r\n", "\n\n", "\r\n"),
    mostly(SETTINGS, ""),
  )
  .map((parts) => Buffer.from(`${parts.join("")}${REQUEST}`, "latin1"));

test("what node:http2 accepts is detected as HTTP/2", async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(connections, async (bytes) => {
      if (!(await nodeAccepts(bytes))) return;
      accepted++;
      assert.equal(detectHttp(bytes)?.kind, "http2", JSON.stringify(`${bytes}`));
      assert.equal(detectHttpFraming(bytes)?.kind, "http2");
    }),
    { numRuns: 150 },
  );
  assert.ok(accepted > 10, `only ${accepted} were connections`);
});

const begun = fc.oneof(
  fc.constantFrom(...Array.from({ length: PREFACE.length }, (_, end) => PREFACE.slice(0, end + 1))),
  fc.string({ unit: "binary-ascii", maxLength: 40 }),
);

test("the preface decides as a whole: in pieces it is neither waited for in vain nor taken for less", () => {
  fc.assert(
    fc.property(begun, fc.string({ unit: "binary-ascii", maxLength: 40 }), (start, rest) => {
      const text = `${start}${rest}`;
      const framing = detectHttpFraming(Buffer.from(text, "latin1"))?.kind;
      const may = PREFACE.startsWith(text.slice(0, PREFACE.length));
      if (!may) assert.equal(framing, "http");
      else assert.equal(framing, text.length < PREFACE.length ? undefined : "http2");
      const found = detectHttp(Buffer.from(text, "latin1"))?.kind;
      if (may) assert.equal(found, framing);
      else assert.notEqual(found, "http2");
    }),
    { numRuns: 5_000 },
  );
});
