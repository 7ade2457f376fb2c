import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { connect } from "node:tls";
import fc from "fast-check";
import { LOOPBACK, portOf } from "../../test/kit/sidecar-fixture.ts";
import {
  type ClientHelloReading,
  MAX_CLIENT_HELLO_BYTES,
  readClientHello,
} from "./client-hello.ts";

/** What Node itself sends. */
async function realHello(options: {
  readonly alpn?: readonly string[];
  readonly servername?: string;
}): Promise<Buffer> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, "listening");
  const { alpn, servername = "" } = options;
  const client = connect({
    port: portOf(server),
    host: LOOPBACK,
    servername,
    ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
  });
  client.on("error", () => client.destroy());
  const [socket] = await once(server, "connection");
  const [bytes] = await once(socket, "data");
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

const hello = await realHello({
  alpn: ["istio-http/1.1", "istio", "http/1.1"],
  servername: "Outbound_.8080_._.api.production.svc.cluster.local",
});

function completed(reading: ClientHelloReading): unknown {
  return reading.status === "complete" ? reading.hello : reading;
}

test("reads the protocols and the server name of a real ClientHello", () => {
  assert.deepEqual(completed(readClientHello(hello)), {
    applicationProtocols: ["istio-http/1.1", "istio", "http/1.1"],
    serverName: "outbound_.8080_._.api.production.svc.cluster.local",
  });
});

test("a ClientHello may offer no protocol and name no server", async () => {
  const bare = await realHello({});
  assert.deepEqual(completed(readClientHello(bare)), { applicationProtocols: [] });
});

test("every proper beginning of a ClientHello is incomplete", () => {
  for (let length = 0; length < hello.length; length++) {
    assert.equal(readClientHello(hello.subarray(0, length)).status, "incomplete", `${length}`);
  }
});

/** The same handshake message in records of `size` bytes. */
function inRecords(size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const fragment = message.subarray(at, at + size);
    const header = Buffer.from([22, 3, 1, 0, 0]);
    header.writeUInt16BE(fragment.length, 3);
    records.push(header, fragment);
  }
  return Buffer.concat(records);
}

for (const size of [1, 3, 64, 200]) {
  test(`reads a ClientHello split into records of ${size} bytes`, () => {
    assert.deepEqual(
      completed(readClientHello(inRecords(size))),
      completed(readClientHello(hello)),
    );
  });
}

function altered(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(hello);
  change(bytes);
  return bytes;
}

const invalid: [what: string, bytes: Buffer, problem: RegExp][] = [
  ["plaintext", Buffer.from("GET / HTTP/1.1\r\n"), /no handshake/],
  ["an alert record", altered((bytes) => bytes.writeUInt8(21, 0)), /no handshake/],
  ["SSL 2", altered((bytes) => bytes.writeUInt8(2, 1)), /version/],
  ["an empty record", altered((bytes) => bytes.writeUInt16BE(0, 3)), /length/],
  ["a record that is too long", altered((bytes) => bytes.writeUInt16BE(16_385, 3)), /length/],
  ["a ServerHello", altered((bytes) => bytes.writeUInt8(2, 5)), /ClientHello/],
  ["a message of 16 MiB", altered((bytes) => bytes.writeUInt8(255, 6)), /longer than/],
  ["a session id of 33 bytes", altered((bytes) => bytes.writeUInt8(33, 43)), /session id/],
  ["bytes after the message", altered((bytes) => bytes.writeUIntBE(60, 6, 3)), /follow/],
];
for (const [what, bytes, problem] of invalid) {
  test(`refuses ${what}`, () => {
    const reading = readClientHello(bytes);
    assert.equal(reading.status, "invalid");
    assert.match(reading.status === "invalid" ? reading.problem : "", problem);
  });
}

test("never throws and never waits beyond its limit, whatever the bytes", () => {
  const record = fc
    .uint8Array({ maxLength: 600 })
    .map((body) =>
      Buffer.concat([Buffer.from([22, 3, 1, body.length >> 8, body.length & 255]), body]),
    );
  const mutated = fc
    .tuple(fc.nat(hello.length - 1), fc.nat(255))
    .map(([at, value]) => altered((bytes) => bytes.writeUInt8(value, at)));
  const anything = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(record, mutated, anything), (bytes) => {
      const { status } = readClientHello(bytes);
      assert.ok(["complete", "incomplete", "invalid"].includes(status));
      const padded = Buffer.concat([bytes, Buffer.alloc(MAX_CLIENT_HELLO_BYTES)]);
      assert.notEqual(readClientHello(padded).status, "incomplete");
    }),
    { numRuns: 500 },
  );
});
