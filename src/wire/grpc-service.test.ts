import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { connectUnixSocket } from "../runtime/connect-unix-socket.ts";
import { silentLog } from "../runtime/log.ts";
import { bytesOf, streamPath, streamService } from "./byte-streams.ts";
import { startUnixGrpcServer, type UnixGrpcServer } from "./unix-grpc-server.ts";

const codec = bytesOf("test.Test", "Talk");
const MESSAGE_BYTES = 100_000;
const FRAME_BYTES = 5;
let folder: string;
let server: UnixGrpcServer;
let flushed = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-grpc-"));
  server = await startUnixGrpcServer({
    path: join(folder, "socket"),
    access: "owner",
    services: [streamService(codec, serve, silentLog)],
    maxReceiveBytes: 1_024,
    maxConnections: 1,
    maxStreamsPerConnection: 1,
    log: silentLog,
  });
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function serve(stream: Parameters<Parameters<typeof streamService>[1]>[0]): Promise<void> {
  for await (const _ of stream.requests) {
    stream.send(Buffer.alloc(MESSAGE_BYTES));
    await stream.flushed();
    flushed++;
  }
}

test("what was sent is flushed once the client took it, at its own pace", async () => {
  const session = connectHttp2("http://localhost", {
    createConnection: () => connectUnixSocket(join(folder, "socket")),
  });
  const call = session.request({
    ":method": "POST",
    ":path": streamPath(codec),
    "content-type": "application/grpc",
    te: "trailers",
  });
  call.pause(); // it takes what a window holds, which is less than the message
  call.write(Buffer.alloc(FRAME_BYTES));
  await once(call, "response");
  for (let turn = 0; turn < 50; turn++) await nextTurn();
  assert.equal(flushed, 0);
  call.resume();
  await eventually("it is flushed", () => flushed === 1);
  call.write(Buffer.alloc(FRAME_BYTES));
  await eventually("the next is, too", () => flushed === 2);
  session.destroy();
});
