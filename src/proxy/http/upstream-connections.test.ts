import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp1Server, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../../test/kit/eventually.ts";
import { freePort } from "../../../test/kit/free-port.ts";
import { ask } from "../../../test/kit/recorded-answer.ts";
import { LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { parseSpiffeId } from "../../identity/spiffe-id.ts";
import { CertificateDeadlines } from "../certificate-deadlines.ts";
import { dialPlaintext, type Upstream, UpstreamConnectError } from "../upstream-dialer.ts";
import { EndpointConnections } from "./upstream-connections.ts";
import { ConnectionPools, type ConnectionsOptions } from "./upstream-connections-pools.ts";

const IDLE_MS = 60_000;
const closing: (() => void)[] = [];
after(() => {
  for (const close of closing) close();
});

interface Callee {
  readonly port: number;
  readonly accepted: Socket[];
  /** Requests that wait for their answer, the first first. */
  readonly open: (() => void)[];
  /** Answers at once from now on. */
  answerAll(): void;
}

async function callee(server: Server, open: (() => void)[]): Promise<Callee> {
  const accepted: Socket[] = [];
  server.on("connection", (socket: Socket) => accepted.push(socket.on("error", () => {})));
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  closing.push(() => {
    server.close();
    for (const socket of accepted) socket.destroy();
  });
  const answerAll = (): void => {
    open.push = (...answers) => {
      for (const answer of answers) answer();
      return 0;
    };
    for (const answer of open.splice(0)) answer();
  };
  return { port: portOf(server), accepted, open, answerAll };
}

/** A server that says nothing about how long it keeps idle connections. */
async function http1Callee(): Promise<Callee> {
  const open: (() => void)[] = [];
  const server = createHttp1Server((_, response: ServerResponse) => {
    open.push(() => response.end("ok"));
  });
  server.keepAliveTimeout = 0;
  return callee(server, open);
}

async function http2Callee(settings: Settings = {}): Promise<Callee> {
  const open: (() => void)[] = [];
  const server = createHttp2Server({ settings });
  server.on("sessionError", () => {});
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    open.push(() => stream.respond({ ":status": 200 }, { endStream: true }));
  });
  return callee(server, open);
}

interface Stage {
  readonly pools: ConnectionPools;
  readonly pool: EndpointConnections;
  /** How often was dialled. */
  dials(): number;
}

interface StageOptions extends Partial<Omit<ConnectionsOptions, "dial">> {
  readonly idleMs?: number;
  readonly deadlines?: CertificateDeadlines;
  /** What the callee is said to have chosen, and what it presents. */
  readonly upstream?: Partial<Upstream>;
  readonly dialled?: () => Promise<void>;
}

function stage(port: number, options: StageOptions = {}): Stage {
  const { idleMs = IDLE_MS, deadlines, upstream, dialled, ...rest } = options;
  const pools = new ConnectionPools({ idleMs, deadlines });
  let dials = 0;
  const pool = pools.connections("key", {
    unnegotiated: "HTTP/1",
    ...rest,
    dial: async () => {
      dials++;
      await dialled?.();
      return { ...(await dialPlaintext({ address: LOOPBACK, port })), ...upstream };
    },
  });
  closing.push(() => pools.close());
  return { pools, pool, dials: () => dials };
}

function relay(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  for (const [socket, beside] of [
    [one, other],
    [other, one],
  ] as const) {
    socket.on("error", () => {}).on("close", () => beside.destroy());
  }
}

class CountedDeadlines extends CertificateDeadlines {
  watched = 0;
  override watch(...told: Parameters<CertificateDeadlines["watch"]>): () => void {
    this.watched++;
    const forget = super.watch(...told);
    return () => {
      this.watched--;
      forget();
    };
  }
}

const H2 = { upstream: { applicationProtocol: "h2" } };

test("HTTP/1: a connection is used again, the latest first", async () => {
  const { port, accepted, open, answerAll } = await http1Callee();
  const { pool, dials } = stage(port);
  const answers = [ask(pool), ask(pool)];
  await eventually("both", () => open.length === 2);
  answerAll();
  for (const answer of answers) assert.equal((await answer.done).body, "ok");
  const ports: unknown[] = [];
  for (let round = 0; round < 5; round++) {
    const answer = await ask(pool).done;
    ports.push(answer.stream?.ends.local.port);
    assert.equal(answer.stream?.isReused, true);
  }
  assert.equal(new Set(ports).size, 1);
  assert.equal(dials(), 2);
  assert.equal(accepted.length, 2);
  pool.dropIdle();
  assert.deepEqual(pool.load, { connections: 0, waiting: 0 });
  assert.equal((await ask(pool).done).stream?.isReused, false);
});

test("HTTP/1: an idle connection that the other end closes is not used again", async () => {
  const { port, accepted, answerAll } = await http1Callee();
  answerAll();
  const { pool } = stage(port);
  for (let round = 1; round <= 3; round++) {
    assert.equal((await ask(pool).done).status, 200);
    assert.equal(accepted.length, round);
    accepted.at(-1)?.end();
    await eventually("the pool to hear of it", () => pool.load.connections === 0);
  }
});

for (const [name, make, options] of [
  ["HTTP/1", http1Callee, {}],
  ["HTTP/2", http2Callee, H2],
] as const) {
  test(`${name}: an idle connection is closed in time; one that waits for an answer is not`, async () => {
    const idleMs = 200;
    const { port, accepted, open, answerAll } = await make();
    const { pool } = stage(port, { idleMs, ...options });
    const slow = ask(pool);
    await eventually("the request", () => open.length === 1);
    await delay(2 * idleMs);
    answerAll();
    assert.equal((await slow.done).status, 200);
    assert.equal(pool.load.connections, 1);
    await eventually("the end", () => pool.load.connections === 0 && accepted[0]?.destroyed);
    assert.equal((await ask(pool).done).status, 200);
    assert.equal(accepted.length, 2);
  });

  test(`${name}: what is under way ends when its key is not retained, and nothing is kept`, async () => {
    const { port, accepted, open, answerAll } = await make();
    const { pool, pools } = stage(port, options);
    const answer = ask(pool);
    await eventually("the request", () => open.length === 1);
    pools.retainOnly(new Set(["another"]));
    assert.equal(pool.load.connections, 1);
    answerAll();
    assert.equal((await answer.done).status, 200);
    await eventually("the connection to close", () => accepted[0]?.destroyed);
    assert.equal(pool.load.connections, 0);
    // Who holds the old one still gets an answer.
    assert.equal((await ask(pool).done).status, 200);
    await eventually("nothing to be kept", () => pool.load.connections === 0);
    const options2 = { unnegotiated: "HTTP/1", dial: () => Promise.reject(new Error()) } as const;
    assert.notEqual(pools.connections("key", options2), pool);
  });

  test(`${name}: a connection serves so many requests, and lives so long`, async () => {
    const { port, accepted, answerAll } = await make();
    answerAll();
    const few = stage(port, { ...options, limits: { maxRequestsPerConnection: 3 } });
    for (let round = 0; round < 7; round++) assert.equal((await ask(few.pool).done).status, 200);
    assert.equal(accepted.length, 3);
    const short = stage(port, {
      ...options,
      idleMs: 160,
      limits: { maxConnectionDurationMs: 100 },
    });
    let asked = 0;
    await eventually("a third connection", async () => {
      assert.equal((await ask(short.pool).done).status, 200);
      asked++;
      return short.dials() === 3;
    });
    assert.ok(asked > 5, `3 connections for ${asked} requests`);
  });

  test(`${name}: a connection is given up before its certificates end, and what it carries is not`, async () => {
    const { port, open, answerAll } = await make();
    let now = Date.parse("2026-01-01T00:00:00Z");
    const deadlines = new CountedDeadlines({
      clock: { now: () => new Date(now) },
      random: () => 0,
    });
    const id = parseSpiffeId("spiffe://cluster.local/ns/production/sa/web");
    const notAfter = new Date(now + 3_600_000);
    const mutualTls = {
      own: { id, serialNumber: "1", notAfter },
      peer: { id, serialNumber: "2", certificateHash: "", chain: [] },
    };
    const upstream = { ...("upstream" in options ? options.upstream : {}), mutualTls };
    const { pool, dials } = stage(port, { deadlines, upstream });
    const answer = ask(pool);
    await eventually("the request", () => open.length === 1);
    assert.equal(answer.stream?.ends.mutualTls, mutualTls);
    now += 3_000_000;
    await delay(700);
    answerAll();
    assert.equal((await answer.done).status, 200);
    await eventually("the end", () => pool.load.connections === 0);
    assert.equal((await ask(pool).done).status, 200);
    assert.equal(dials(), 2);
    assert.equal(deadlines.watched, 1);
    pool.retire();
    await eventually("it to be forgotten", () => deadlines.watched === 0);
  });

  test(`${name}: no connection, and all who wait for it hear why`, async () => {
    const { pool, dials } = stage(await freePort(), options);
    const answers = [ask(pool), ask(pool), ask(pool)];
    for (const answer of answers) {
      const { error, calls } = await answer.done;
      assert.deepEqual(calls, ["failed"]);
      assert.ok(error instanceof UpstreamConnectError && error.failed === "tcp");
      assert.equal(error.prospect, "soon");
    }
    assert.equal(dials(), 1);
    assert.deepEqual(pool.load, { connections: 0, waiting: 0 });
  });
}

test("HTTP/1: who waits is served by whichever connection is ready first", async () => {
  const { port, open, answerAll } = await http1Callee();
  let letDial = (): void => {};
  let gate: Promise<void> = Promise.resolve();
  const { pool, dials } = stage(port, { dialled: () => gate });
  const first = ask(pool);
  await eventually("the request", () => open.length === 1);
  gate = new Promise((resolve) => {
    letDial = resolve;
  });
  const second = ask(pool);
  const third = ask(pool);
  third.sending?.cancel();
  assert.deepEqual(pool.load, { connections: 1, waiting: 1 });
  answerAll();
  await first.done;
  const { stream } = await second.done;
  assert.equal(stream?.isReused, true);
  letDial();
  await eventually("the others to be kept", () => pool.load.connections === 3);
  assert.equal(dials(), 3);
  assert.deepEqual(third.calls, []);
  const later = [ask(pool), ask(pool), ask(pool)];
  for (const answer of later) assert.equal((await answer.done).stream?.isReused, true);
  assert.equal(dials(), 3);
});

test("HTTP/1: of two who wait, one dial that fails is one's failure", async () => {
  const { port, answerAll } = await http1Callee();
  answerAll();
  const fates: (() => Promise<void>)[] = [
    async () => {},
    () => Promise.reject(new Error("no")),
    () => delay(50),
  ];
  const { pool } = stage(port, { dialled: () => fates.shift()?.() ?? Promise.resolve() });
  // Now it is known that each request needs a connection.
  assert.equal((await ask(pool).done).status, 200);
  pool.dropIdle();
  const [first, second] = [ask(pool), ask(pool)];
  assert.deepEqual((await first.done).calls, ["failed"]);
  assert.equal(first.error?.reason, "no");
  assert.equal((await second.done).status, 200);
});

test("a connection that is closed before it is used is no connection", async () => {
  const { port } = await http1Callee();
  const pools = new ConnectionPools({ idleMs: IDLE_MS });
  const dial = async (): Promise<Upstream> => {
    const upstream = await dialPlaintext({ address: LOOPBACK, port });
    upstream.socket.destroy();
    return upstream;
  };
  const pool = pools.connections("key", { unnegotiated: "HTTP/1", dial });
  const answer = await ask(pool).done;
  assert.deepEqual(answer.calls, ["failed"]);
  assert.equal(answer.error?.reason, "the connection was closed at once");
  assert.deepEqual(pool.load, { connections: 0, waiting: 0 });
});

test("a request that cannot be written costs no connection", async () => {
  for (const [make, options] of [
    [http1Callee, {}],
    [http2Callee, H2],
  ] as const) {
    const { port, answerAll } = await make();
    answerAll();
    const { pool, dials } = stage(port, options);
    for (let round = 0; round < 3; round++) {
      assert.deepEqual((await ask(pool, { path: "/a b" }).done).calls, ["failed"]);
      assert.equal((await ask(pool).done).status, 200);
    }
    assert.equal(dials(), 1);
    assert.equal(pool.load.connections, 1);
  }
});

test("HTTP/1: as many idle connections are kept as were needed at once, and in time 64 at most", async () => {
  const { port, open, answerAll } = await http1Callee();
  const { pool } = stage(port);
  const answers = Array.from({ length: 80 }, () => ask(pool));
  await eventually("all of them", () => open.length === 80);
  answerAll();
  for (const answer of answers) await answer.done;
  assert.equal(pool.load.connections, 80);
  pool.checkTime();
  assert.equal(pool.load.connections, 75);
  for (let look = 0; look < 8; look++) pool.checkTime();
  assert.equal(pool.load.connections, 64);
});

test("HTTP/1: a callee that closes after each answer is dialled for each request, and none is lost", async () => {
  const open: (() => void)[] = [];
  const server = createHttp1Server((_, response) => {
    response.setHeader("connection", "close");
    response.end("ok");
  });
  const { port, accepted } = await callee(server, open);
  const { pool } = stage(port);
  const answers = Array.from({ length: 20 }, () => ask(pool));
  for (const answer of answers) assert.equal((await answer.done).body, "ok");
  assert.equal(accepted.length, 20);
});

test("HTTP/2 by ALPN: a burst shares one connection", async () => {
  for (const applicationProtocol of ["h2", "hauberk-http/1.1"]) {
    const { port, accepted, open, answerAll } = await http2Callee();
    const { pool, dials } = stage(port, {
      unnegotiated: "HTTP/2",
      upstream: { applicationProtocol },
    });
    const answers = Array.from({ length: 80 }, () => ask(pool));
    await eventually("all of them", () => open.length === 80);
    answerAll();
    for (const answer of answers) assert.equal((await answer.done).status, 200);
    assert.equal(accepted.length, 1);
    assert.equal(dials(), 1);
  }
});

test("HTTP/2 by prior knowledge, where nothing is agreed on", async () => {
  const { port, answerAll } = await http2Callee();
  answerAll();
  const { pool } = stage(port, { unnegotiated: "HTTP/2" });
  assert.equal((await ask(pool).done).calls[0], "head HTTP/2 200");
});

test("HTTP/1 by ALPN, where HTTP/2 was as likely: each of a burst gets its connection", async () => {
  const { port, open, answerAll } = await http1Callee();
  const upstream = { applicationProtocol: "http/1.1" };
  const { pool, dials } = stage(port, { unnegotiated: "HTTP/2", upstream });
  const answers = Array.from({ length: 10 }, () => ask(pool));
  await eventually("all of them", () => open.length === 10);
  answerAll();
  for (const answer of answers) assert.equal((await answer.done).body, "ok");
  assert.equal(dials(), 10);
});

test("HTTP/2: a callee that allows one stream is sent one at a time, on as many connections", async () => {
  const { port, accepted, open, answerAll } = await http2Callee({ maxConcurrentStreams: 1 });
  const { pool } = stage(port, H2);
  const answers = Array.from({ length: 5 }, () => ask(pool));
  await eventually("all of them", () => open.length === 5);
  assert.equal(accepted.length, 5);
  answerAll();
  for (const answer of answers) assert.equal((await answer.done).status, 200);
  for (let round = 0; round < 50; round++) assert.equal((await ask(pool).done).status, 200);
  assert.equal(accepted.length, 5);
});

test("HTTP/2: after GOAWAY new requests go by another connection, and open ones finish", async () => {
  const server = createHttp2Server();
  const open: (() => void)[] = [];
  server.on("sessionError", () => {});
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    open.push(() => stream.respond({ ":status": 200 }, { endStream: true }));
  });
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session) => sessions.push(session));
  const { port, accepted } = await callee(server, open);
  const { pool } = stage(port, H2);
  const first = ask(pool);
  await eventually("the request", () => open.length === 1);
  const [session] = sessions;
  session?.goaway();
  // A PING goes out ahead of GOAWAY, and the next one behind it: its answer tells that GOAWAY has come.
  for (let round = 0; round < 2; round++) {
    await new Promise((resolve) => session?.ping(resolve));
  }
  const second = ask(pool);
  await eventually("the other", () => open.length === 2);
  assert.equal(accepted.length, 2);
  for (const answer of open) answer();
  assert.equal((await first.done).status, 200);
  assert.equal((await second.done).status, 200);
  await eventually("the first connection to be gone", () => pool.load.connections === 1);
});

test("HTTP/2: a connection that ends before it has begun is not waited for", async () => {
  const { port, accepted, answerAll } = await http2Callee();
  answerAll();
  const front = createServer((socket) => {
    if (accepted.length === 0 && fronted++ === 0) socket.destroy();
    else relay(socket, connect(port, LOOPBACK));
  });
  let fronted = 0;
  front.listen(0, LOOPBACK);
  await once(front, "listening");
  closing.push(() => front.close());
  const { pool } = stage(portOf(front), { unnegotiated: "HTTP/2" });
  assert.equal((await ask(pool).done).calls.at(-1), "aborted closed");
  assert.equal((await ask(pool).done).status, 200);
});

test("HTTP/2: a callee that acknowledges no SETTINGS is given up", async () => {
  const silent = createServer((socket) => socket.resume());
  silent.listen(0, LOOPBACK);
  await once(silent, "listening");
  closing.push(() => silent.close());
  const address = { address: LOOPBACK, port: portOf(silent) };
  let now = 0;
  const pool = new EndpointConnections({
    dial: () => dialPlaintext(address),
    unnegotiated: "HTTP/2",
    limits: { idleMs: IDLE_MS },
    now: () => now,
  });
  const answer = ask(pool);
  await eventually("the connection", () => pool.load.connections === 1);
  now = 10_000;
  pool.checkTime();
  assert.deepEqual((await answer.done).calls, ["aborted timeout"]);
  assert.equal(pool.load.connections, 0);
});

test("thousands at a time share what there is, and all are answered", async () => {
  const { port, accepted, answerAll } = await http2Callee({ maxConcurrentStreams: 50 });
  answerAll();
  const { pool } = stage(port, H2);
  const answers = Array.from({ length: 2_000 }, () => ask(pool));
  for (const answer of answers) assert.equal((await answer.done).status, 200);
  assert.ok(accepted.length <= 40, `${accepted.length}`);
});

test("only so many requests wait", async () => {
  const { pool } = stage(1, { dialled: () => new Promise(() => {}), ...H2 });
  const answers = Array.from({ length: 4_097 }, () => ask(pool));
  assert.equal(pool.load.waiting, 4_096);
  assert.equal(answers.at(-1)?.error?.reason, "too many requests wait for it");
});

test("a callee that ends its WebSocket and reads no more does not keep what was sent to it for ever", async () => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const { port, accepted } = await callee(server, []);
  const { pool } = stage(port, { idleMs: 200 });
  const body = [Buffer.alloc(20_000_000)];
  const answer = ask(pool, { upgrade: "websocket" }, { body });
  const [socket] = await eventually("a connection", () => accepted.length > 0 && accepted);
  socket?.end(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  assert.match((await answer.done).summary, /last/);
  assert.equal(pool.load.connections, 1);
  await eventually("the connection to be gone", () => pool.load.connections === 0);
});

test("a pool that has nothing is forgotten, and looked after again when it is used again", async () => {
  const { port, answerAll } = await http1Callee();
  answerAll();
  const { pools, pool } = stage(port, { idleMs: 100 });
  for (let round = 0; round < 2; round++) {
    assert.equal((await ask(pool).done).status, 200);
    assert.deepEqual([pools.size, pool.load.connections], [1, 1]);
    await eventually("the end of its idle connection", () => pool.load.connections === 0);
    await eventually("nothing to look after", () => pools.size === 0);
  }
  const never = { unnegotiated: "HTTP/1", dial: () => Promise.reject(new Error()) } as const;
  for (let index = 0; index < 1_000; index++) pools.connections(`port ${index}`, never);
  await eventually("nothing to look after", () => pools.size === 0);
});

test("a forgotten pool that comes back beside another of its name closes what stands idle, too", async () => {
  const { port, answerAll } = await http1Callee();
  answerAll();
  const { pools, pool } = stage(port, { idleMs: 100 });
  await eventually("nothing to look after", () => pools.size === 0);
  const dial = () => dialPlaintext({ address: LOOPBACK, port });
  const other = pools.connections("key", { unnegotiated: "HTTP/1", dial });
  assert.notEqual(other, pool);
  for (const one of [pool, other]) assert.equal((await ask(one).done).status, 200);
  assert.equal(pools.size, 2);
  await eventually("nothing to look after", () => pools.size === 0);
  assert.deepEqual([pool.load.connections, other.load.connections], [0, 0]);
});
