/** The one law of detection: what a server of HTTP/1 takes for a request is never served as opaque bytes. */
import assert from "node:assert/strict";
import { createServer, METHODS } from "node:http";
import { Duplex } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { detectHttp } from "./protocol-detection.ts";

/** Whether node:http sees a request, of whatever kind. */
function nodeAccepts(bytes: Buffer): Promise<boolean> {
  let accepted = false;
  const accept = (): void => {
    accepted = true;
  };
  const server = createServer(accept);
  for (const event of ["checkContinue", "checkExpectation", "connect", "upgrade"]) {
    server.on(event, accept);
  }
  server.on("clientError", () => {});
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  server.emit("connection", socket);
  socket.push(bytes);
  return new Promise((resolve) => {
    setImmediate(() => {
      socket.destroy();
      server.close();
      resolve(accepted);
    });
  });
}

/** The first is what a client usually sends. */
function mostly(usual: fc.Arbitrary<string>, ...others: string[]): fc.Arbitrary<string> {
  return fc.oneof({ arbitrary: usual, weight: 3 }, fc.constantFrom(...others));
}
const text = fc.constant<string>;

const requestLines = fc.record({
  before: mostly(text(""), "\r", "\n", "\r\n", "\n\r\r\n", " ", "\t", "\0"),
  method: mostly(
    fc.constantFrom(...METHODS),
    ...["get", "PRI", "QUERY", "FETCH", "DESCRIBE", "FLUSH", "GET_", ""],
  ),
  gap: mostly(text(" "), "  ", "\t", "", "\r\n"),
  target: mostly(
    text("/"),
    ...["/a b", "*", "http://a/b", "a:80", "/\xe9", "/?#", "", "rtsp://a", "/\x01"],
  ),
  version: mostly(
    text(" HTTP/1.1"),
    ...[" HTTP/1.0", " HTTP/0.9", " HTTP/2.0", " HTTP/3.0", " http/1.1", "  HTTP/1.1"],
    ...["", " ", " RTSP/1.0", " ICE/1.0", " HTTP/1.1 ", "\tHTTP/1.1", " HTTP/1.10", " HTTP/11"],
  ),
  end: mostly(text("\r\n"), "\n", "\r", "\r\r\n"),
});

test("what node:http accepts is detected as HTTP", async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(requestLines, async ({ before, method, gap, target, version, end }) => {
      const line = `${before}${method}${gap}${target}${version}${end}`;
      const bytes = Buffer.from(
        `${line}Host: a\r\nX-Forwarded-Client-Cert: forged\r\n\r\n`,
        "latin1",
      );
      if (!(await nodeAccepts(bytes))) return;
      accepted++;
      assert.equal(detectHttp(bytes)?.kind, "http", JSON.stringify(line));
    }),
    { numRuns: 4_000 },
  );
  assert.ok(accepted > 100, `only ${accepted} were requests`);
});

test("what is detected at the end of a request was not taken for anything else before it", () => {
  fc.assert(
    fc.property(requestLines, ({ before, method, gap, target, version, end }) => {
      const bytes = Buffer.from(`${before}${method}${gap}${target}${version}${end}`, "latin1");
      if (detectHttp(bytes)?.kind !== "http") return;
      for (let length = 0; length < bytes.length; length++) {
        assert.notEqual(detectHttp(bytes.subarray(0, length))?.kind, "tcp");
      }
    }),
    { numRuns: 2_000 },
  );
});
