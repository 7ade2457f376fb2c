/** Requests through a server that forwards each to one callee: what is told of those that do not go well. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { ForwardingStages } from "../../test/kit/forwarding-stage.ts";
import { freePort } from "../../test/kit/free-port.ts";
import { HeldFields } from "./http/held-fields.ts";
import type { AnswerSink, OutgoingRequest } from "./http/streams.ts";
import type { Upstream } from "./upstream-dialer.ts";

const stages = new ForwardingStages();
after(() => stages.close());

const IMPATIENT = { limits: { exchangeMs: 50, checkMs: 10 } };
const UPGRADE = "Connection: upgrade\r\nUpgrade: websocket\r\n";

test("a callee that says nothing for too long: the client is cut, and it is not said to have left (SI)", async () => {
  const { port, outcomes } = await stages.forwardingTo(await stages.listening(() => {}), IMPATIENT);
  stages.client(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { status, flags, details } = await eventually("an outcome", () => outcomes[0]);
  assert.deepEqual(
    { status, flags, details },
    { status: null, flags: "SI", details: "stream_idle_timeout" },
  );
});

test("half an answer that would end with the connection is not taken for a whole one when time is up", async () => {
  const half = "HTTP/1.1 200 OK\r\n\r\nhalf";
  const callee = await stages.listening((socket) => socket.once("data", () => socket.write(half)));
  const { port } = await stages.forwardingTo(callee, { limits: { exchangeMs: 500, checkMs: 10 } });
  const { socket, seen } = stages.client(port, "GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  await once(socket, "close").catch(() => {});
  assert.match(seen(), /half\[.*ECONNRESET\]$/);
});

test("a WebSocket whose connection turns out to be dead gets another one", async () => {
  let connections = 0;
  const callee = await stages.listening((socket) => {
    connections++;
    socket.once("data", (first) => {
      if (first.includes("websocket")) {
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\nhello`);
        return;
      }
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      socket.once("data", () => socket.destroy());
    });
  });
  const { port } = await stages.forwardingTo(callee);
  const before = stages.client(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually("an answer", () => before.seen().endsWith("ok"));
  const { socket, seen } = stages.client(port, `GET / HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\n`);
  await eventually("an answer", () => seen() !== "");
  await eventually("the first bytes", () => seen().endsWith("\r\n\r\nhello"));
  assert.deepEqual([seen().slice(0, 12), connections], ["HTTP/1.1 101", 2]);
  socket.destroy();
});

test("the octets of an answer of our own are counted", async () => {
  const { port, outcomes } = await stages.forwardingTo(await freePort());
  const { seen } = stages.client(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { flags, bytesSent } = await eventually("an outcome", () => outcomes[0]);
  await eventually("an answer", () => seen().includes("\r\n\r\n"));
  const body = seen().slice(seen().indexOf("\r\n\r\n") + 4);
  assert.deepEqual({ flags, bytesSent }, { flags: "UF", bytesSent: body.length });
  assert.notEqual(body, "");
});

test("more requests wait for an endpoint than may: that is too much (UO), and no failure of the endpoint", async () => {
  const never = { dial: () => new Promise<Upstream>(() => {}) };
  const { port, target, outcomes } = await stages.forwardingTo(1, never);
  for (let count = 0; count < 4_096; count++) target.connections.send(GET, "last", DEAF);
  const { seen } = stages.client(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { status, flags, transportFailure } = await eventually("an outcome", () => outcomes[0]);
  assert.deepEqual([status, flags, transportFailure], [503, "UO", undefined]);
  await eventually("an answer", () => seen().includes("x-envoy-overloaded: true"));
});

const GET: OutgoingRequest = {
  method: "GET",
  path: "/",
  authority: "a",
  scheme: "http",
  fields: HeldFields.borrow(),
  contentLength: -1,
};
const DEAF: AnswerSink = {
  failed: () => {},
  sent: () => {},
  interim: () => {},
  head: () => {},
  data: () => {},
  trailers: () => {},
  aborted: () => {},
  writable: () => {},
};
