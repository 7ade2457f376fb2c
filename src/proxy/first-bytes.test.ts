import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { readFirstBytes } from "./first-bytes.ts";
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
