import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { readFirstBytes, readHttpFraming } from "./first-bytes.ts";
import { detectTlsOrHttp } from "./protocol-detection.ts";

const sockets: Socket[] = [];
after(() => {
  for (const socket of sockets) socket.destroy();
});

/** Both ends of one connection. */
async function connection(): Promise<{ readonly client: Socket; readonly accepted: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = await once(server, "connection");
  sockets.push(client, accepted);
  server.close();
  return { client, accepted };
}

for (const [what, text, expected] of [
  ["the beginning of a request", "GE", "http"],
  ["blank lines", "\r\n\r\n", "http"],
  ["the beginning of TLS", "\x16\x03", "tcp"],
] as const) {
  test(`${what}, and then nothing, is served as ${expected}: the rest may come later`, async () => {
    const { client, accepted } = await connection();
    client.write(text, "latin1");
    const first = await readFirstBytes(accepted, { detect: detectTlsOrHttp, completionMs: 40 });
    assert.equal(first?.detected.kind, expected);
    assert.equal(String(accepted.read()), text);
  });
}

test("a client that ended with less than a request is served as TCP", async () => {
  const { client, accepted } = await connection();
  client.end("hello");
  const first = await readFirstBytes(accepted, { detect: detectTlsOrHttp });
  assert.deepEqual(first, { detected: { kind: "tcp" }, head: Buffer.from("hello") });
});

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

for (const [what, pieces, framing] of [
  ["a request", ["GET / HTTP/1.1\r\n"], "HTTP/1"],
  ["one letter of another method", ["D"], "HTTP/1"],
  ["the preface of HTTP/2", [PREFACE], "HTTP/2"],
  ["the preface, octet for octet", [...PREFACE], "HTTP/2"],
  ["what only begins like the preface", ["PRI * HT", "TP/2.0\r\nHost: a\r\n"], "HTTP/1"],
  ["neither", ["INVALID CONNECTION ", "PREFACE\r\n"], "HTTP/1"],
  ["neither, where HTTP/2 is declared", ["INVALID CONNECTION ", "PREFACE\r\n"], "HTTP/2"],
  ["a request, where HTTP/2 is declared", ["GE", "T / HTTP/1.1\r\n"], "HTTP/1"],
] as const) {
  const declared = what.endsWith("HTTP/2 is declared") ? "http2" : "http";
  test(`${what} is read as ${framing}, and given back`, async () => {
    const { client, accepted } = await connection();
    client.setNoDelay(true);
    const reading = readHttpFraming(accepted, { declared, silenceMs: 5_000 });
    for (const piece of pieces) {
      client.write(piece);
      if (pieces.length > 1) await delay(2);
    }
    assert.equal(await reading, framing);
    const text = pieces.join("");
    let given = "";
    accepted.on("data", (chunk: Buffer) => {
      given += chunk;
    });
    while (given.length < text.length) await delay(1);
    assert.equal(given, text);
  });
}

test("a client that ends, or says nothing, speaks no version of HTTP", async () => {
  const [ended, silent] = [await connection(), await connection()];
  ended.client.end(PREFACE.slice(0, 20));
  const reading = { declared: "http2", silenceMs: 20 } as const;
  assert.equal(await readHttpFraming(ended.accepted, { ...reading, silenceMs: 5_000 }), undefined);
  assert.equal(await readHttpFraming(silent.accepted, reading), undefined);
});
