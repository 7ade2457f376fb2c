import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import type { TcpKeepalive } from "../api/connection-pool-settings.ts";
import { keptAlive } from "./kept-alive.ts";
import { dialPlaintext, UpstreamConnectError } from "./upstream-dialer.ts";

class Recording extends Socket {
  readonly asked: unknown[] = [];
  override setKeepAlive(...asked: unknown[]): this {
    this.asked.push(...asked);
    return this;
  }
}
const NOWHERE = { address: "127.0.0.1", port: 1 };

const cases: [keepalive: TcpKeepalive | undefined, asked: unknown[]][] = [
  [undefined, []],
  [{}, [true, 7_200_000]],
  [{ idleSeconds: 9 }, [true, 9_000]],
];
for (const [keepalive, asked] of cases) {
  test(`tcpKeepalive: ${JSON.stringify(keepalive)}`, () => {
    const socket = new Recording();
    assert.equal(keptAlive(() => socket, keepalive)(NOWHERE), socket);
    assert.deepEqual(socket.asked, asked);
  });
}

test("connectTimeout: who is not there in time is not there", async () => {
  const begunAt = performance.now();
  const silent = (): Socket => new Socket();
  // A socket that is nowhere does not keep the process up.
  const alive = setTimeout(() => {}, 10_000);
  await assert.rejects(dialPlaintext(NOWHERE, silent, 50), (error: unknown) => {
    assert.ok(error instanceof UpstreamConnectError);
    assert.match(error.reason, /not there after 50 ms/);
    return true;
  });
  clearTimeout(alive);
  assert.ok(performance.now() - begunAt < 5_000);
});
