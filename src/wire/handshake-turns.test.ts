import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { remoteOf } from "./client-connections.ts";
import { HandshakeTurns } from "./handshake-turns.ts";

interface Stage {
  readonly turns: HandshakeTurns;
  /** Those whose handshake began. */
  readonly begun: readonly Socket[];
  /** All, in the order in which they came. */
  readonly arrived: readonly Socket[];
  /** Connects so many, one after the other, from one source. @returns all so far */
  come(count: number, source?: string): Promise<readonly Socket[]>;
}

async function stage(context: TestContext, turnMs: number): Promise<Stage> {
  const begun: Socket[] = [];
  const arrived: Socket[] = [];
  let source = "";
  const turns = new HandshakeTurns({ size: 2, turnMs, begin: (socket) => begun.push(socket) });
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => undefined);
    turns.arrived(socket, source);
    arrived.push(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const clients: Socket[] = [];
  context.after(() => {
    turns.close();
    for (const socket of [...clients, ...begun]) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const come = async (count: number, from = "one"): Promise<readonly Socket[]> => {
    source = from;
    for (let index = 0; index < count; index++) {
      const client = connect({ host: "127.0.0.1", port: address.port });
      client.on("error", () => undefined);
      clients.push(client);
      await once(client, "connect");
    }
    await eventually("their arrival", () => arrived.length === clients.length);
    return clients;
  };
  return { turns, begun, arrived, come };
}

test("the next begins once one is over, in the order in which they came", async (context) => {
  const { turns, begun, come } = await stage(context, 60_000);
  const clients = await come(4);
  await eventually("those that wait", () => turns.waiting === 2);
  assert.equal(begun.length, 2);
  const [first] = begun;
  assert.ok(first);
  turns.over(remoteOf(first));
  turns.over(remoteOf(first));
  assert.deepEqual(
    begun.map((socket) => socket.remotePort),
    clients.slice(0, 3).map((client) => client.localPort),
  );
});

test("a source that comes with many holds up no other", async (context) => {
  const { turns, begun, come } = await stage(context, 60_000);
  await come(6, "crowd");
  await come(1, "second");
  const clients = await come(2, "third");
  assert.equal(turns.waiting, 7);
  for (let ended = 0; ended < 7; ended++) turns.over(remoteOf(begun[ended] ?? assert.fail()));
  assert.equal(turns.waiting, 0);
  const ports = clients.map((client) => client.localPort);
  assert.deepEqual(
    begun.map((socket) => ports.indexOf(socket.remotePort)),
    [0, 1, 2, 6, 7, 3, 8, 4, 5],
  );
});

test("a source whose last one is given up while it waits is passed by", async (context) => {
  const { turns, begun, arrived, come } = await stage(context, 60_000);
  await come(3, "crowd");
  await come(1, "gone");
  await come(1, "third");
  arrived[2]?.destroy();
  arrived[3]?.destroy();
  await eventually("one that waits", () => turns.waiting === 1);
  turns.over(remoteOf(begun[0] ?? assert.fail()));
  assert.equal(begun[2], arrived[4]);
});

test("whoever leaves in the middle makes room", async (context) => {
  const { turns, begun, come } = await stage(context, 60_000);
  await come(3);
  await eventually("one that waits", () => turns.waiting === 1);
  begun[0]?.destroy();
  await eventually("its turn", () => begun.length === 3);
});

test("whoever takes his time keeps others waiting for no longer than a turn", async (context) => {
  const { begun, come } = await stage(context, 20);
  await come(7);
  await eventually("all of them", () => begun.length === 7);
});

test("those that wait at the end are closed", async (context) => {
  const { turns, come } = await stage(context, 60_000);
  const clients = await come(3);
  await eventually("one that waits", () => turns.waiting === 1);
  const closed = once(clients[2] ?? assert.fail(), "close");
  clients[2]?.resume();
  turns.close();
  await closed;
});
