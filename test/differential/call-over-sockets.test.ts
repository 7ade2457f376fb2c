import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { type TestContext, test } from "node:test";
import { LOOPBACK, portOf } from "../kit/sidecar-fixture.ts";
import { startApplication } from "./application.ts";
import { callAll } from "./call-over-sockets.ts";
import { LATE, type Outcome } from "./question.ts";
import { calls, PLAINTEXT, tcpCalls } from "./trap.ts";

const CALLS = [...tcpCalls(PLAINTEXT), ...calls([PLAINTEXT], {})];

/** A clock on which every look is that much later. */
function clockOf(stepMs: number): () => number {
  let now = 0;
  return () => {
    now += stepMs;
    return now;
  };
}

async function outcomesAt(port: number, stepMs: number): Promise<readonly Outcome[]> {
  return callAll(CALLS, () => ({ address: LOOPBACK, port }), clockOf(stepMs));
}

async function refusingServer(context: TestContext): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  context.after(() => server.close());
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  return server;
}

for (const stepMs of [10, 5_001]) {
  test(`who reaches an application after ${stepMs} ms got in`, async (context) => {
    const application = await startApplication();
    context.after(() => application.close());
    assert.deepEqual(await outcomesAt(application.address.port, stepMs), [
      { verdict: "allowed", seen: "reply" },
      { verdict: "allowed", seen: "200" },
      { verdict: "allowed", seen: "200" },
    ]);
  });
}

test("a refusal within five seconds is one, and a later one tells of the machine", async (context) => {
  const port = portOf(await refusingServer(context));
  const soon = await outcomesAt(port, 5_000);
  assert.deepEqual(
    soon.map(({ verdict }) => verdict),
    ["denied", "denied", "denied"],
  );
  assert.ok(soon.every(({ seen }) => seen !== LATE));
  const late: Outcome = { verdict: "denied", seen: LATE };
  assert.deepEqual(await outcomesAt(port, 5_001), [late, late, late]);
});
