/** A circuit breaker's `maxConnections` over real sockets: who may not have a connection waits for one that is there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { ask } from "../../test/kit/recorded-answer.ts";
import { sampleDestination } from "../../test/kit/sample-destination.ts";
import { LOOPBACK, portOf } from "../../test/kit/sidecar-fixture.ts";
import { DEFAULT_TRAFFIC_POLICY } from "../policy/effective-traffic-policy.ts";
import type { Destination } from "../policy/workload-view.ts";
import { seededChance } from "./balancing/seeded-chance.ts";
import { DestinationBalancer } from "./destination-balancer.ts";
import { ConnectionPools } from "./http/upstream-connections-pools.ts";
import { dialPlaintext } from "./upstream-dialer.ts";

const accepted: Socket[] = [];
let most = 0;
const server = createServer((_, response) => void delay(10).then(() => response.end("ok")));
server.on("connection", (socket: Socket) => {
  accepted.push(socket);
  most = Math.max(most, accepted.filter(({ closed }) => !closed).length);
});
const pools = new ConnectionPools({ idleMs: 60_000 });
after(() => {
  pools.close();
  server.close();
});

function limited(port: number, maxConnections: number): Destination {
  const endpoints = [{ address: LOOPBACK, port }];
  const ref = { kind: "DestinationRule", namespace: "shop", name: "rule" };
  const { connectionPool } = DEFAULT_TRAFFIC_POLICY;
  return {
    ...sampleDestination({ service: "shop/api", port: 80, endpoints }),
    trafficPolicy: {
      ...DEFAULT_TRAFFIC_POLICY,
      connectionPool: { ...connectionPool, maxConnections },
      origin: { ref, source: { file: "mesh.yaml", line: 1 } },
    },
  };
}

test("20 requests at once over two connections; when those are closed there may be others", async () => {
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const destination = limited(portOf(server), 2);
  const [endpoint] = destination.endpoints;
  assert.ok(endpoint);
  const balancer = new DestinationBalancer(destination, {
    chance: seededChance(1),
    now: () => 0,
    events: { ejected: () => {}, returned: () => {} },
  });
  const pool = pools.connections("key", {
    unnegotiated: "HTTP/1",
    dial: () => balancer.dialCounted(endpoint, () => dialPlaintext(endpoint.address)),
    mayDial: () => balancer.mayConnect,
  });
  for (const round of [1, 2]) {
    const answers = Array.from({ length: 20 }, () => ask(pool));
    for (const answer of answers) assert.equal((await answer.done).body, "ok");
    assert.equal(most, 2);
    assert.equal(accepted.length, 2 * round);
    assert.equal(balancer.mayConnect, false);
    pool.dropIdle();
    await eventually("both to be closed", () => balancer.mayConnect && pool.load.connections === 0);
  }
});
