import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { LOOPBACK, portOf } from "../../test/kit/sidecar-fixture.ts";
import { dialPlaintext } from "./upstream-dialer.ts";
import { type DialingAgent, UpstreamPool } from "./upstream-pool.ts";

const IDLE_MS = 250;

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.closeAllConnections();
});

interface Stage {
  readonly agent: DialingAgent;
  readonly accepted: readonly Socket[];
}

/** A pool before a server that says nothing about how long it keeps idle connections. */
async function stage(answerAfterMs = 0): Promise<Stage> {
  const server = createServer((incoming, response) => {
    incoming.resume();
    setTimeout(() => response.end("ok"), answerAfterMs);
  });
  const accepted: Socket[] = [];
  server.keepAliveTimeout = 0;
  server.on("connection", (socket: Socket) => accepted.push(socket));
  server.listen(0, LOOPBACK).unref();
  servers.push(server);
  await once(server, "listening");
  const address = { address: LOOPBACK, port: portOf(server) };
  const agent = new UpstreamPool({ idleMs: IDLE_MS }).agent("key", () => dialPlaintext(address));
  return { agent, accepted };
}

async function post(agent: DialingAgent): Promise<number | undefined> {
  const outgoing = request({ agent, method: "POST", headers: { "content-length": 0 } }).end();
  const [reply] = await once(outgoing, "response");
  await once(reply.resume(), "close");
  return reply.statusCode;
}

const idle = ({ freeSockets }: DialingAgent): number => Object.values(freeSockets).flat().length;

test("a connection is used again", async () => {
  const { agent, accepted } = await stage();
  for (let round = 0; round < 3; round++) assert.equal(await post(agent), 200);
  assert.equal(accepted.length, 1);
  agent.dropIdle();
  assert.equal(idle(agent), 0);
  assert.equal(await post(agent), 200);
  assert.equal(accepted.length, 2);
});

test("an idle connection that the other end closes is not used again", async () => {
  const { agent, accepted } = await stage();
  for (let round = 1; round <= 3; round++) {
    assert.equal(await post(agent), 200);
    assert.equal(accepted.length, round);
    accepted.at(-1)?.end();
    await eventually("the pool to hear of it", () => idle(agent) === 0);
  }
});

test("an idle connection is closed in time; one that waits for an answer is not", async () => {
  const { agent, accepted } = await stage(3 * IDLE_MS);
  assert.equal(await post(agent), 200);
  assert.equal(idle(agent), 1);
  await delay(2 * IDLE_MS);
  assert.equal(idle(agent), 0);
  assert.equal(await post(agent), 200);
  assert.equal(accepted.length, 2);
});

test("a retired pool lets what is under way end, and keeps nothing", async () => {
  const { agent, accepted } = await stage(50);
  const answered = post(agent);
  await eventually("the request", () => accepted.length === 1);
  agent.retire();
  assert.equal(await answered, 200);
  await eventually("the connection to close", () => accepted[0]?.destroyed);
  assert.equal(idle(agent), 0);
});
