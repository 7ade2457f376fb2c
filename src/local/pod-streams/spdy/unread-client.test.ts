/** Clients that take nothing of what they are told, and clients that go while nobody reads them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { control, data, SpdyWords } from "../../../../test/kit/spdy-client.ts";
import { until } from "../../../../test/kit/until.ts";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";

const PINGS = 300_000;

test("whoever takes no answers is not read on, and then answered all the same", async () => {
  const waiting: (() => void)[] = [];
  let isTaken = false;
  let answered = 0;
  const transport = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      answered += chunk.length;
      if (isTaken) done();
      else waiting.push(done);
    },
  });
  const served = new SpdyConnection({ transport, onStream: () => {} }).serve();
  const ping = control(6, Buffer.from([0, 0, 0, 1]));
  const some = Buffer.concat(Array.from({ length: 1_000 }, () => ping));
  for (let sent = 0; sent < PINGS; sent += 1_000) transport.push(some);
  await until("answers that wait", async () => transport.writableLength >= 1024 * 1024);
  for (let turn = 0; turn < 1_000; turn++) await new Promise(setImmediate);
  assert.ok(transport.writableLength < 2 * 1024 * 1024, `${transport.writableLength} bytes`);
  isTaken = true;
  for (const done of waiting) done();
  await until("all answers", async () => answered === PINGS * ping.length);
  transport.push(null);
  await served;
});

test("a client that goes while one of its streams is not read is heard to go", async (context) => {
  const accepted = new Promise<Socket>((resolve) => {
    const server = createServer(resolve).listen(0, "127.0.0.1", () => {
      const address = server.address();
      assert.ok(typeof address === "object" && address !== null);
      client = connect(address.port, "127.0.0.1");
      client.on("error", () => {});
    });
    context.after(() => server.close());
  });
  let client: Socket | undefined;
  const transport = await accepted;
  transport.on("error", () => {});
  const streams: SpdyStream[] = [];
  const onStream = (stream: SpdyStream): unknown => streams.push(stream);
  const served = new SpdyConnection({ transport, onStream, pulseMs: 20 }).serve().catch(() => {});
  client?.write(await new SpdyWords().synStream(1, {}));
  const part = Buffer.alloc(512 * 1024);
  for (let sent = 0; sent < 8; sent++) client?.write(data(1, part));
  const stream = await until("a stream that is full", async () =>
    streams.find(({ readableLength }) => readableLength >= 1024 * 1024),
  );
  const gone = once(stream, "close");
  client?.destroy();
  await gone;
  await served;
});
