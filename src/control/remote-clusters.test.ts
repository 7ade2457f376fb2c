/** What another mesh says, while it is there, while it is away, and when it comes back. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import {
  away,
  common,
  connected,
  follow,
  foreign,
  LOCAL,
  remoteCluster,
  serve,
  service,
  trustOf,
} from "../../test/kit/remote-meshes.ts";
import { controlPlaneIdentity } from "./control-plane-svid.ts";
import { REMOTE_CONNECTION_LIMITS } from "./remote-cluster-connection.ts";

test("CA-54: services are told at once, and again when they change", async (context) => {
  const east = await serve(context);
  const west = await follow(context, east.port);
  await connected(west);
  assert.deepEqual(west.clusters.services.current, [
    {
      cluster: "east",
      services: [
        {
          namespace: "shop",
          name: "api",
          identities: ["spiffe://cluster.local/ns/shop/sa/api"],
          ports: [
            {
              port: 80,
              protocol: "http",
              endpoints: [
                {
                  workload: "api-0",
                  address: { address: "127.0.0.1", port: 8080 },
                  mutualTls: false,
                },
              ],
            },
          ],
        },
      ],
    },
  ]);
  const { since, heardAt, ...state } = west.state();
  assert.ok(heardAt !== undefined && heardAt >= since);
  assert.deepEqual(state, {
    cluster: "east",
    server: `127.0.0.1:${east.port}`,
    phase: "connected",
    dropped: false,
    services: 1,
    endpoints: 1,
    refusals: [],
  });
  east.snapshots.set(snapshotOf(service("api", LOCAL), { notReady: ["shop/api-0"] }));
  await eventually("the endpoint to go", () => west.endpoints().length === 0);
  assert.equal(west.state().services, 1);
});

test("a new certificate, and other roots, are shown and used at once, without a word of being away", async (context) => {
  const east = await serve(context);
  const west = await follow(context, east.port);
  await connected(west);
  const watchers = () => east.log.find("another cluster watches").length;
  west.svid.set(common.svid(controlPlaneIdentity(LOCAL)));
  await eventually("a second stream", () => watchers() === 2);
  west.trust.set(trustOf(common.rootPem, foreign.rootPem));
  await eventually("a third stream", () => watchers() === 3);
  assert.deepEqual(west.log.find("remote cluster east is away"), []);
});

test("while the other is away what it said last is kept; it comes back by itself", async (context) => {
  const east = await serve(context);
  const west = await follow(context, east.port);
  await connected(west);
  await east.stop();
  await away(west);
  assert.deepEqual(west.endpoints(), [8080]);
  const { heardAt, since } = west.state();
  assert.ok(heardAt !== undefined && since >= heardAt);
  await eventually("the reason", () => west.state().problem?.includes("ECONNREFUSED"));
  east.snapshots.set(snapshotOf(service("other", LOCAL)));
  await east.start();
  await connected(west);
  assert.equal(west.clusters.services.current[0]?.services[0]?.name, "other");
  assert.ok(west.log.find("remote cluster east is away").length >= 1);
  assert.equal(west.log.find("remote cluster east is connected").length, 2);
});

test("after too long away nothing of it is used any more, and the log says so as an error", async (context) => {
  const east = await serve(context);
  let aheadMs = 0;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  const west = await follow(context, east.port, { clock });
  await connected(west);
  aheadMs = 601_000; // connected all the while: nothing is too old
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.deepEqual(west.endpoints(), [8080]);
  await east.stop();
  await away(west);
  aheadMs += 590_000;
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.deepEqual(west.endpoints(), [8080]);
  aheadMs += 11_000;
  await eventually("the endpoints to be dropped", () => west.endpoints().length === 0);
  assert.equal(west.state().dropped, true);
  assert.deepEqual(
    west.log.find("the services of remote cluster east are used no more").map(({ level }) => level),
    ["error"],
  );
  await east.start();
  await connected(west);
  assert.deepEqual([west.endpoints(), west.state().dropped], [[8080], false]);
});

test("a control plane that starts anew goes on with what the other said last, if that is not too old", async (context) => {
  const east = await serve(context);
  const first = await follow(context, east.port);
  const { dataDirectory } = first;
  await connected(first);
  await first.clusters.close();
  await east.stop();
  const second = await follow(context, east.port, { dataDirectory });
  assert.deepEqual(second.endpoints(), [8080]);
  await second.clusters.close();
  const later = { now: () => new Date(Date.now() + 601_000) };
  const third = await follow(context, east.port, { dataDirectory, clock: later });
  assert.deepEqual([third.endpoints(), third.state().dropped], [[], true]);
});

test("a cluster that is no resource any more is used no more, nor remembered; another address is no reason to forget", async (context) => {
  const east = await serve(context);
  const west = await follow(context, east.port);
  await connected(west);
  const local = service("web", LOCAL);
  await east.stop();
  west.resources.set(resourcesOf(local + remoteCluster(1)));
  assert.deepEqual([west.endpoints(), west.state().server], [[8080], "127.0.0.1:1"]);
  west.resources.set(resourcesOf(local));
  assert.deepEqual([west.endpoints(), west.clusters.states], [[], []]);
  await west.clusters.close();
  assert.deepEqual(await readdir(join(west.dataDirectory, "remote-clusters")), []);
});

const ODD_SERVERS = [
  ["speaks no TLS", "HTTP/1.1 400 no\r\n\r\n", /does not speak TLS as expected: ERR_SSL_/],
  ["says nothing at all", undefined, /no answer within 0.3 s/],
] as const;
for (const [title, words, problem] of ODD_SERVERS)
  test(`a server that ${title} is away, and that is told once`, async (context) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      if (words !== undefined) socket.end(words);
    }).listen(0, "127.0.0.1");
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    const limits = { ...REMOTE_CONNECTION_LIMITS, firstAnswerMs: 300 };
    const west = await follow(context, address.port, { limits });
    await away(west);
    assert.match(west.state().problem ?? "", problem);
    await eventually("further tries", () => sockets.size > 2);
    assert.equal(west.log.find("remote cluster east is away").length, 1);
  });
