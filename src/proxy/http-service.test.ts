/** Requests through a server that forwards each to one callee: what is told of those that do not go well. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import { LOOPBACK, portOf } from "../../test/kit/sidecar-fixture.ts";
import { type Exchange, OpenedExchange, type Outcome, type Target } from "./exchange.ts";
import { HeldFields } from "./http/held-fields.ts";
import { HttpServer } from "./http/http-server.ts";
import type { HttpServerLimits } from "./http/http-server-limits.ts";
import type { AnswerSink, OutgoingRequest } from "./http/streams.ts";
import { ConnectionPools } from "./http/upstream-connections-pools.ts";
import { HttpServiceHandler } from "./http-service.ts";
import { SingleTarget } from "./single-target.ts";
import { dialPlaintext, type Upstream } from "./upstream-dialer.ts";

const closing: (() => void)[] = [];
after(() => {
  for (const close of closing) close();
});

async function listening(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    closing.push(() => socket.destroy());
    serve(socket.on("error", () => {}));
  });
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  closing.push(() => server.close());
  return portOf(server);
}

interface Stage {
  readonly port: number;
  readonly target: Target;
  readonly outcomes: readonly Outcome[];
}

interface StageOptions {
  readonly limits?: Partial<HttpServerLimits>;
  readonly dial?: () => Promise<Upstream>;
}

/** @param port of the callee */
async function forwardingTo(port: number, options: StageOptions = {}): Promise<Stage> {
  const address = { address: LOOPBACK, port };
  const outcomes: Outcome[] = [];
  const pools = new ConnectionPools({ idleMs: 60_000 });
  const { limits, dial = () => dialPlaintext(address) } = options;
  const connections = pools.connections("callee", { dial, unnegotiated: "HTTP/1" });
  const target = { address, connections };
  const handler = new HttpServiceHandler<string, Exchange>({
    judge(request) {
      const { protocol } = request;
      const opening = { startedAt: new Date(), protocol, spanSide: undefined };
      const exchange = new OpenedExchange(request, opening);
      const route = { scheme: "http", attempts: new SingleTarget(target) } as const;
      return { exchange, verdict: { route }, afterwards: "keep" };
    },
    record: (_, outcome) => outcomes.push(outcome),
    recordBroken: () => {},
    answerFields: () => "passed on",
  });
  const http = new HttpServer(handler, limits);
  closing.push(() => {
    http.close();
    pools.close();
  });
  const listen = await listening((socket) => http.accept(socket, "", "HTTP/1"));
  return { port: listen, target, outcomes };
}

interface Client {
  readonly socket: Socket;
  /** What has come, and how it ended. */
  seen(): string;
}

function client(port: number, text: string): Client {
  let seen = "";
  const socket = connect({ port, host: LOOPBACK }).setEncoding("latin1");
  closing.push(() => socket.destroy());
  socket.on("data", (chunk: string) => {
    seen += chunk;
  });
  socket.on("end", () => {
    seen += "[end]";
  });
  socket.on("error", ({ message }) => {
    seen += `[${message}]`;
  });
  socket.write(text);
  return { socket, seen: () => seen };
}

const IMPATIENT = { limits: { exchangeMs: 50, checkMs: 10 } };
const UPGRADE = "Connection: upgrade\r\nUpgrade: websocket\r\n";

test("a callee that says nothing for too long: the client is cut, and it is not said to have left (SI)", async () => {
  const { port, outcomes } = await forwardingTo(await listening(() => {}), IMPATIENT);
  client(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { status, flags, details } = await eventually("an outcome", () => outcomes[0]);
  assert.deepEqual(
    { status, flags, details },
    { status: null, flags: "SI", details: "stream_idle_timeout" },
  );
});

test("half an answer that would end with the connection is not taken for a whole one when time is up", async () => {
  const half = "HTTP/1.1 200 OK\r\n\r\nhalf";
  const callee = await listening((socket) => socket.once("data", () => socket.write(half)));
  const { port } = await forwardingTo(callee, IMPATIENT);
  const { socket, seen } = client(port, "GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  await once(socket, "close").catch(() => {});
  assert.match(seen(), /half\[.*ECONNRESET\]$/);
});

test("a WebSocket whose connection turns out to be dead gets another one", async () => {
  let connections = 0;
  const callee = await listening((socket) => {
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
  const { port } = await forwardingTo(callee);
  const before = client(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually("an answer", () => before.seen().endsWith("ok"));
  const { socket, seen } = client(port, `GET / HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\n`);
  await eventually("an answer", () => seen() !== "");
  await eventually("the first bytes", () => seen().endsWith("\r\n\r\nhello"));
  assert.deepEqual([seen().slice(0, 12), connections], ["HTTP/1.1 101", 2]);
  socket.destroy();
});

test("the octets of an answer of our own are counted", async () => {
  const { port, outcomes } = await forwardingTo(await freePort());
  const { seen } = client(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { flags, bytesSent } = await eventually("an outcome", () => outcomes[0]);
  await eventually("an answer", () => seen().includes("\r\n\r\n"));
  const body = seen().slice(seen().indexOf("\r\n\r\n") + 4);
  assert.deepEqual({ flags, bytesSent }, { flags: "UF", bytesSent: body.length });
  assert.notEqual(body, "");
});

test("more requests wait for an endpoint than may: that is too much (UO), and no failure of the endpoint", async () => {
  const never = { dial: () => new Promise<Upstream>(() => {}) };
  const { port, target, outcomes } = await forwardingTo(1, never);
  for (let count = 0; count < 4_096; count++) target.connections.send(GET, "last", DEAF);
  const { seen } = client(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
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
