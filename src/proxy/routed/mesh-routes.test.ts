/** Users' routes for what an application itself calls (gateway `mesh`), through a real sidecar. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { ORIGIN } from "../../../test/kit/edge-stage.ts";
import { freePort } from "../../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  LOOPBACK,
  portOf,
  workloadView,
} from "../../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../../test/kit/sidecar-ground.ts";
import type { StreamRoute } from "../../policy/routes/stream-route.ts";
import type { HttpRoute } from "../../policy/routes/virtual-host.ts";
import type { Outbound } from "../../policy/workload-view.ts";

const ground = sidecarGround();
const hostOf = (name: string): string => `${name}.production.svc.cluster.local`;
const to = (name: string, more: object = {}) => ({
  host: hostOf(name),
  port: 0,
  weight: 1,
  ...more,
});

async function callerOf(more: Partial<Outbound>, protocol: "http" | "tcp" = "http") {
  const listen = await freePort();
  const serve = async (name: string): Promise<number> =>
    portOf(
      await ground.listening(
        protocol === "http"
          ? createServer((incoming, response) => response.end(`${name} ${incoming.url}`))
          : createTcpServer((socket) => socket.end(name)),
      ),
    );
  const one = { protocol, mutualTls: false } as const;
  const destinations = [
    destination({ name: "reviews", port: await serve("reviews"), listen, ...one }),
    destination({ name: "other", port: await serve("other"), ...one }),
  ];
  const v2 = destination({ name: "reviews", port: await serve("reviews v2"), ...one });
  const view = workloadView({ name: "frontend", rootsPem: ground.rootsPem, destinations });
  const outbound = { ...view.outbound, subsets: [{ ...v2, subset: "v2" }], ...more };
  const caller = await ground.start({
    view: { ...view, outbound },
    svid: ground.mesh.svid(idOf("frontend")),
  });
  return { listen, caller };
}

async function ask(port: number, path: string): Promise<readonly [number, string]> {
  const outgoing = request({
    host: LOOPBACK,
    port,
    path,
    headers: { host: "reviews" },
    agent: false,
  }).end();
  const [answer] = await once(outgoing, "response");
  let text = "";
  for await (const chunk of answer) text += chunk;
  return [answer.statusCode, text];
}

describe("requests", () => {
  const route = (path: string, action: HttpRoute["action"]): HttpRoute => ({
    origin: ORIGIN,
    match: { path: { kind: "prefix", path } },
    action,
  });
  const forward = (name: string, more: object = {}): HttpRoute["action"] => ({
    do: "forward",
    destinations: [to(name, more)],
    unresolved: 503,
  });
  const virtualHosts = [
    {
      domains: [hostOf("reviews")],
      routes: [
        route("/v2", forward("reviews", { subset: "v2" })),
        route("/other", {
          do: "forward",
          destinations: [to("other")],
          unresolved: 503,
          rewrite: { path: { do: "replace-prefix", prefix: "/x" } },
        }),
        route("/gone", forward("reviews", { subset: "v9" })),
        route("/abort", { do: "respond", status: 418 }),
      ],
    },
  ];

  test("go to a subset, to another service, to nobody; what no route is for is answered 404", async () => {
    const { listen, caller } = await callerOf({ virtualHosts });
    assert.deepEqual(await ask(listen, "/v2/1"), [200, "reviews v2 /v2/1"]);
    assert.deepEqual(await ask(listen, "/other/2"), [200, "other /x/2"]);
    assert.equal((await ask(listen, "/gone"))[0], 503);
    assert.equal((await ask(listen, "/abort"))[0], 418);
    assert.equal((await ask(listen, "/else"))[0], 404);
    const entry = await caller.entry(({ path }) => path === "/v2/1");
    assert.equal(entry.upstream_cluster, `outbound|8080|v2|${hostOf("reviews")}`);
    assert.equal((await caller.entry(({ path }) => path === "/else")).response_flags, "NR");
  });

  test("of a host that no route is for go where they always went", async () => {
    const { listen } = await callerOf({
      virtualHosts: [{ domains: ["else"], routes: [] }],
    });
    assert.deepEqual(await ask(listen, "/v2/1"), [200, "reviews /v2/1"]);
  });
});

describe("connections", () => {
  /** As views have them: routes say for which destinations they are. */
  const byName = (names: readonly string[], more: object = {}): StreamRoute => ({
    origin: ORIGIN,
    hosts: [hostOf("reviews")],
    serverNames: names,
    destinations: [to("other", more)],
  });

  /** Until the other end has closed: nobody here answers a ClientHello. */
  async function call(port: number, servername: string): Promise<void> {
    const socket = connectTls({ host: LOOPBACK, port, servername });
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("close", resolve));
  }

  test("of TLS go by their server name, others as they always went", async () => {
    const { listen, caller } = await callerOf({ streamRoutes: [byName(["*.example.com"])] }, "tcp");
    await call(listen, "api.example.com");
    await call(listen, "example.org");
    const clusters = await Promise.all(
      ["other", "reviews"].map((name) =>
        caller.entry(
          ({ upstream_cluster: cluster }) => cluster === `outbound|8080||${hostOf(name)}`,
        ),
      ),
    );
    assert.equal(clusters.length, 2);
  });

  test("of TCP go where the routes of their destination lead, and not where those of others do", async () => {
    const leading = (host: string): StreamRoute => ({
      origin: ORIGIN,
      hosts: [host],
      destinations: [to("other")],
    });
    for (const [host, goes] of [
      [hostOf("reviews"), "other"],
      ["*.svc.cluster.local", "other"],
      [hostOf("else"), "reviews"],
    ] as const) {
      const { listen, caller } = await callerOf({ streamRoutes: [leading(host)] }, "tcp");
      await call(listen, "api.example.com");
      assert.equal((await caller.entry()).upstream_cluster, `outbound|8080||${hostOf(goes)}`);
    }
  });

  test("that lead to nobody are refused", async () => {
    const { listen, caller } = await callerOf(
      { streamRoutes: [byName(["*"], { subset: "v9" })] },
      "tcp",
    );
    await call(listen, "api.example.com");
    assert.equal((await caller.entry()).response_flags, "NR");
  });
});
