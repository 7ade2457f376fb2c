/** What a DestinationRule says, through a real sidecar: who is chosen, who is left out, and what is too much. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener, request } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  LOOPBACK,
  portOf,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { PortProtocol } from "../api/service.ts";
import {
  DEFAULT_TRAFFIC_POLICY,
  type EffectiveConnectionPool,
  type EffectiveOutlierDetection,
  type LoadBalancing,
} from "../policy/effective-traffic-policy.ts";
import type { Destination, WorkloadView } from "../policy/workload-view.ts";

const mesh = createThrowawayAuthority();
const sidecars: TestSidecar[] = [];
const servers: Server[] = [];
after(async () => {
  for (const server of servers) server.close();
  await Promise.all(sidecars.map(({ sidecar }) => sidecar.close()));
});

async function listening(server: Server): Promise<number> {
  server.listen(0, LOOPBACK).unref();
  servers.push(server);
  await once(server, "listening");
  return portOf(server);
}

/** So many endpoints without sidecars; each says its number in the header `by`. */
function applications(count: number, listener: RequestListener = (_, reply) => reply.end()) {
  return Promise.all(
    Array.from({ length: count }, (_, number) =>
      listening(
        createHttpServer((incoming, reply) => {
          reply.setHeader("by", String(number));
          listener(incoming, reply);
        }),
      ),
    ),
  );
}

interface Policy {
  readonly loadBalancing?: LoadBalancing;
  readonly connectionPool?: Partial<EffectiveConnectionPool>;
  readonly outlierDetection?: EffectiveOutlierDetection;
}

function withPolicy(api: Destination, policy: Policy): Destination {
  const { loadBalancing, connectionPool, outlierDetection } = policy;
  const ref = { kind: "DestinationRule", namespace: "production", name: "rule" };
  return {
    ...api,
    trafficPolicy: {
      loadBalancing: loadBalancing ?? DEFAULT_TRAFFIC_POLICY.loadBalancing,
      connectionPool: { ...DEFAULT_TRAFFIC_POLICY.connectionPool, ...connectionPool },
      ...(outlierDetection && { outlierDetection }),
      origin: { ref, source: { file: "rules.yaml", line: 1 } },
    },
  };
}

/** A caller of `api`, whose endpoints listen at `ports`. */
async function caller(ports: readonly number[], policy: Policy, protocol: PortProtocol = "http") {
  const listen = await freePort();
  const parts = { name: "api", mutualTls: false, protocol } as const;
  const endpoints = ports.flatMap((port) => destination({ ...parts, port }).endpoints);
  const api = { ...destination({ ...parts, port: 1, listen }), endpoints };
  const view = (changed: Policy): WorkloadView =>
    workloadView({
      name: "frontend",
      rootsPem: [mesh.rootPem],
      destinations: [withPolicy(api, changed)],
    });
  const started = await startTestSidecar({ view: view(policy), svid: mesh.svid(idOf("frontend")) });
  sidecars.push(started);
  const change = (changed: Policy): void => started.views.set(view(changed));
  return { ...started, listen, change };
}

interface Reply {
  readonly status: number | undefined;
  readonly by: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function get(port: number, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const outgoing = request({ port, host: LOOPBACK, headers, agent: false }).end();
  const [incoming] = await once(outgoing, "response");
  incoming.resume();
  return { status: incoming.statusCode, by: incoming.headers.by, headers: incoming.headers };
}

test("a request that is tried again after a rule has changed leaves nothing of the former rule behind", async () => {
  const port = await freePort();
  const { listen, change } = await caller([port], {});
  const early = get(listen);
  await delay(50); // Nobody listens: its second try fails after 150 ms, and the third is made ready then.
  change({ connectionPool: { maxRequestsPerConnection: 1 } });
  assert.equal((await early).status, 503);
  let connections = 0;
  const api = createHttpServer((_, reply) => reply.end()).on("connection", () => connections++);
  servers.push(api.listen(port, LOOPBACK).unref());
  for (let call = 0; call < 2; call++) assert.equal((await get(listen)).status, 200);
  assert.equal(connections, 2);
});

test("ROUND_ROBIN: each in turn; another rule is in force at once", async () => {
  const { listen, change } = await caller(await applications(3), {
    loadBalancing: { algorithm: "ROUND_ROBIN" },
  });
  const served: unknown[] = [];
  for (let call = 0; call < 6; call++) served.push((await get(listen)).by);
  assert.deepEqual(served.slice(0, 3).toSorted(), ["0", "1", "2"]);
  assert.deepEqual(served.slice(3), served.slice(0, 3));
  const key = { from: "header", name: "x-user" } as const;
  change({ loadBalancing: { algorithm: "RING_HASH", key, minimumRingSize: 1_024 } });
  const homes = new Set<unknown>();
  for (let call = 0; call < 6; call++) homes.add((await get(listen, { "x-user": "ann" })).by);
  assert.equal(homes.size, 1);
});

test("a cookie is given once, and leads back to the same endpoint", async () => {
  const { listen } = await caller(await applications(3), {
    loadBalancing: {
      algorithm: "RING_HASH",
      key: { from: "cookie", name: "home", path: "/", ttlSeconds: 60, attributes: [] },
      minimumRingSize: 1_024,
    },
  });
  const first = await get(listen);
  const [cookie] = [first.headers["set-cookie"]].flat();
  assert.match(String(cookie), /^home="[0-9a-f]{16}"; Max-Age=60; Path=\/; HttpOnly$/);
  for (let call = 0; call < 5; call++) {
    const next = await get(listen, { cookie: String(cookie).split(";", 1)[0] ?? "" });
    assert.deepEqual([next.by, next.headers["set-cookie"]], [first.by, undefined]);
  }
});

/** An application that answers when it is told to. */
async function patient() {
  const waiting: (() => void)[] = [];
  const ports = await applications(1, (_, reply) => void waiting.push(() => reply.end()));
  return { ports, waiting };
}

const crowds: [name: string, pool: Partial<EffectiveConnectionPool>, served: number][] = [
  ["http2MaxRequests: 2", { maxRequests: 2 }, 2],
  [
    "maxConnections: 1, http1MaxPendingRequests: 2",
    { maxConnections: 1, maxPendingRequests: 2 },
    3,
  ],
];
for (const [name, connectionPool, served] of crowds) {
  test(`${name}: of 6 requests at once ${served} are served, the others told at once (UO)`, async () => {
    const { ports, waiting } = await patient();
    const { listen, entries } = await caller(ports, { connectionPool });
    // The connection is there, so that only what the limits say waits.
    const warm = get(listen);
    await eventually("the first", () => waiting.length === 1);
    waiting.shift()?.();
    await warm;
    const replies = Array.from({ length: 6 }, () => get(listen));
    const overflows = () => entries.filter(({ response_flags }) => response_flags === "UO");
    await eventually("those that are too many", () => overflows().length === 6 - served);
    const answering = setInterval(() => waiting.shift()?.(), 5);
    const all = await Promise.all(replies);
    clearInterval(answering);
    const statuses = all.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [...Array(served).fill(200), ...Array(6 - served).fill(503)]);
    const refused = all.find(({ status }) => status === 503);
    assert.equal(refused?.headers["x-envoy-overloaded"], "true");
    const details = "upstream_reset_before_response_started{overflow}";
    assert.equal(overflows()[0]?.response_code_details, details);
    // Nothing is held by those that are over.
    const last = get(listen);
    await eventually("another", () => waiting.length === 1);
    waiting.shift()?.();
    assert.equal((await last).status, 200);
  });
}

test("who fails twice in a row is left out, and the log says so; when all are, calls fail (UH)", async () => {
  let failing = "1";
  const ports = await applications(2, (_, reply) => {
    if (failing.includes(String(reply.getHeader("by")))) reply.statusCode = 503;
    reply.end();
  });
  const { listen, line, entries } = await caller(ports, {
    loadBalancing: { algorithm: "ROUND_ROBIN" },
    outlierDetection: {
      consecutive5xxErrors: 2,
      localOriginFailures: "gateway errors",
      intervalMs: 1_000,
      baseEjectionTimeMs: 60_000,
      maxEjectionTimeMs: 60_000,
      maxEjectionPercent: 100,
      minHealthPercent: 0,
    },
  });
  for (let call = 0; call < 4; call++) await get(listen);
  const { fields } = await line("outlier ejected");
  assert.deepEqual(
    [fields["endpoint"], fields["cause"]],
    [`${LOOPBACK}:${ports[1]}`, "consecutive_5xx"],
  );
  for (let call = 0; call < 4; call++) assert.equal((await get(listen)).by, "0");
  failing = "01";
  for (let call = 0; call < 2; call++) assert.equal((await get(listen)).by, "0");
  assert.deepEqual(await get(listen).then(({ status, by }) => [status, by]), [503, undefined]);
  await eventually("UH", () => entries.find(({ response_flags }) => response_flags === "UH"));
});

const echo = (): Promise<number> =>
  listening(
    createServer((socket: Socket) => {
      socket.on("error", () => {}).pipe(socket);
    }),
  );
const dial = (port: number): Socket => connect({ port, host: LOOPBACK }).on("error", () => {});

test("TCP, maxConnections: 1: the second is closed at once (UO); when the first is over there may be another", async () => {
  const { listen, entries } = await caller(
    [await echo()],
    { connectionPool: { maxConnections: 1 } },
    "tcp",
  );
  const first = dial(listen);
  first.write("a");
  await once(first, "data");
  const second = dial(listen);
  second.resume();
  await once(second, "close");
  await eventually("UO", () => entries.find(({ response_flags }) => response_flags === "UO"));
  first.destroy();
  await eventually("the first to be over", () =>
    entries.some(({ bytes_sent }) => bytes_sent === 1),
  );
  const third = dial(listen);
  third.write("b");
  assert.equal(String((await once(third, "data"))[0]), "b");
  third.destroy();
});

const lifetimes: [name: string, pool: Partial<EffectiveConnectionPool>][] = [
  ["idleTimeout", { tcpIdleTimeoutMs: 100 }],
  ["maxConnectionDuration", { tcpMaxConnectionDurationMs: 100 }],
];
for (const [name, connectionPool] of lifetimes) {
  test(`TCP, ${name}: 100ms`, async () => {
    const { listen } = await caller([await echo()], { connectionPool }, "tcp");
    const socket = dial(listen);
    socket.write("a");
    await once(socket, "data");
    await once(socket, "close");
  });
}

test("maxRequestsPerConnection: 1: every request has a connection of its own", async () => {
  const sockets = new Set<unknown>();
  const ports = await applications(1, (incoming, reply) => {
    sockets.add(incoming.socket);
    reply.end();
  });
  const { listen } = await caller(ports, { connectionPool: { maxRequestsPerConnection: 1 } });
  for (let call = 0; call < 3; call++) assert.equal((await get(listen)).status, 200);
  assert.equal(sockets.size, 3);
});
