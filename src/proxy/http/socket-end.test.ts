import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import { LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { SocketEnd } from "./socket-end.ts";

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

interface Reader {
  readonly end: SocketEnd;
  readonly socket: Socket;
  /** All that came so far. */
  readonly received: () => Buffer;
}

async function openReader(): Promise<Reader> {
  const pieces: Buffer[] = [];
  const server = createServer((socket) => socket.on("data", (bytes) => pieces.push(bytes)));
  servers.push(server);
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const socket = connect({ host: LOOPBACK, port: portOf(server), noDelay: true });
  await once(socket, "connect");
  const nothing = (): void => {};
  const end = new SocketEnd(socket, {
    received: nothing,
    ended: nothing,
    drained: nothing,
    closed: nothing,
  });
  return { end, socket, received: () => Buffer.concat(pieces) };
}

/** How much each of them writes in one turn: heads and pieces of bodies. */
const TURNS: readonly (readonly number[])[] = [
  [400],
  [2_048],
  [2_049],
  [400, 200],
  [400, 1_648],
  [400, 1_649],
  [300, 10_000],
  [300, 17_000, 5],
  [16_000, 500, 60_000, 30],
  [200_000],
  [2_000, 14_384, 1],
  [...new Array<number>(300).fill(100)],
];

test("what is written goes out in this order, in one write a turn as far as a large batch takes it", async () => {
  const { end, socket, received } = await openReader();
  let expected = Buffer.alloc(0);
  const write = socket.write.bind(socket);
  let writes = 0;
  socket.write = ((...given: Parameters<typeof write>) => {
    writes++;
    return write(...given);
  }) as typeof socket.write;
  let letter = 0;
  for (const sizes of TURNS) {
    writes = 0;
    for (const [index, size] of sizes.entries()) {
      const bytes = Buffer.alloc(size, 97 + (letter++ % 26));
      expected = Buffer.concat([expected, bytes]);
      if (size > 16_384 || index % 2 === 0) end.write(bytes, 0, size);
      else {
        const batch = end.room(size);
        batch.length += bytes.copy(batch.bytes, batch.length);
      }
    }
    await eventually(
      () => `${sizes}: ${received().length} octets of ${expected.length}`,
      () => received().length >= expected.length,
    );
    const octets = sizes.reduce((sum, size) => sum + size, 0);
    if (octets <= 16_384) assert.equal(writes, 1, `${sizes}`);
    else assert.ok(writes <= 1 + Math.ceil(octets / 32_768), `${sizes}: ${writes}`);
  }
  assert.ok(received().equals(expected));
  socket.destroy();
});
