import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { SocketAddress } from "../../policy/workload.ts";
import { giveOrder, type Order } from "./order-client.ts";

const ORDER: Order = { call: "tcp", service: "database", line: "LIST" };

let scratch: string;
const connect = ({ address: host, port }: SocketAddress): Socket => connectTcp({ host, port });
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(scratch, { recursive: true }));

/** A program that answers as `serve` does. */
async function withProgram(
  serve: (socket: Socket) => void,
  play: () => Promise<void>,
): Promise<void> {
  const server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await writeFile(join(scratch, "orders.json"), JSON.stringify({ port, password: "secret" }));
  try {
    await play();
  } finally {
    server.close();
    await rm(join(scratch, "orders.json"));
  }
}

test("an order is carried out by the program that has the password", async () => {
  let received = "";
  const serve = (socket: Socket): void => {
    socket.on("data", (data) => {
      received += data.toString();
      if (received.endsWith("\n")) socket.write('{"answer":"chain mail","localPort":7}\n');
    });
  };
  await withProgram(serve, async () => {
    assert.deepEqual(await giveOrder({ scratch, connect }, ORDER), {
      answer: "chain mail",
      localPort: 7,
    });
  });
  assert.deepEqual(JSON.parse(received), { ...ORDER, password: "secret" });
});

test("a program that is silent, that ends, or that never starts is an outcome", async () => {
  await withProgram(
    () => {},
    async () => {
      const outcome = await giveOrder({ scratch, connect, patienceMs: 200 }, ORDER);
      assert.deepEqual(outcome, { error: "the program gave no answer" });
    },
  );
  await withProgram(
    (socket) => socket.end(),
    async () => {
      assert.deepEqual(await giveOrder({ scratch, connect }, ORDER), {
        error: "the program ended",
      });
    },
  );
  const outcome = await giveOrder({ scratch, connect, patienceMs: 100 }, ORDER);
  assert.deepEqual(outcome, { error: "the program takes no orders" });
});
