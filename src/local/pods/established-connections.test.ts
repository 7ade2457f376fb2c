import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { until } from "../../../test/kit/until.ts";
import { establishedConnections } from "./established-connections.ts";

for (const host of ["127.0.0.1", "::1"]) {
  test(`connections to a port of ${host} count from their beginning to their end`, async () => {
    const server = createServer((socket) => socket.resume()).listen(0, host);
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    const count = (): Promise<number> => establishedConnections(process.pid, [address.port]);
    assert.equal(await count(), 0);
    const clients: Socket[] = [];
    for (let expected = 1; expected <= 2; expected++) {
      clients.push(connect(address.port, host));
      await until(`${expected} connections`, async () => (await count()) === expected);
    }
    for (const client of clients) client.destroy();
    await until("none", async () => (await count()) === 0);
    server.close();
  });
}

test("a process that is gone has none", async () => {
  assert.equal(await establishedConnections(2 ** 30, [80]), 0);
});
