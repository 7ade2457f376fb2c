/** Requests through a gateway, over real sockets: policies first, then routes, then whoever they lead to. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import {
  edgeStage,
  httpServer,
  routeTo,
  serverCertificate,
  tlsOf,
  WEB,
} from "../../../test/kit/edge-stage.ts";
import { freePort } from "../../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  workloadView,
} from "../../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../../test/kit/sidecar-ground.ts";

const ground = sidecarGround();
const host = "shop.example.com";
const certificate = serverCertificate(host);
const RETRIES = {
  attempts: 2,
  conditions: ["5xx"],
  statuses: [],
  backoffMs: 1,
  previousEndpoints: "taken again",
} as const;

describe("routes", () => {
  test("a prefix is rewritten, headers are changed both ways, and the log has what came", async () => {
    const route = routeTo(
      {
        match: { path: { kind: "prefix", path: "/api/" } },
        headers: {
          request: { set: [{ name: "x-set", value: "1" }], add: [], remove: ["x-secret"] },
          response: { set: [], add: [{ name: "x-added", value: "2" }], remove: ["x-application"] },
        },
      },
      { rewrite: { path: { do: "replace-prefix", prefix: "/" }, authority: "web.internal" } },
    );
    const { ask, reached, gateway } = await edgeStage(ground, [
      httpServer(host, undefined, [route]),
    ]);
    const headers = { "x-secret": "s" };
    const told = await ask({ host, path: "/api/cart?id=1", headers });
    assert.equal(told.status, 200);
    assert.equal(told.headers["x-added"], "2");
    assert.equal(told.headers["x-application"], undefined);
    const [request] = reached;
    assert.equal(request?.url, "/cart?id=1");
    assert.equal(request?.headers.host, "web.internal");
    assert.equal(request?.headers["x-set"], "1");
    assert.equal(request?.headers["x-secret"], undefined);
    assert.equal(request?.headers["x-envoy-original-path"], "/api/cart?id=1");
    const entry = await gateway.entry();
    assert.deepEqual(
      [entry.reporter, entry.path, entry.upstream_cluster],
      ["source", "/api/cart?id=1", "outbound|8080||web.production.svc.cluster.local"],
    );
  });

  test("redirects, own answers, no route, no such host, nobody to call", async () => {
    const { ask, reached } = await edgeStage(ground, [
      httpServer(host, undefined, [
        routeTo({
          match: { path: { kind: "exact", path: "/moved" } },
          action: { do: "redirect", status: 308, scheme: "https" },
        }),
        routeTo({
          match: { path: { kind: "exact", path: "/own" } },
          action: { do: "respond", status: 418, body: { text: "teapot" } },
        }),
        routeTo(
          { match: { path: { kind: "exact", path: "/nobody" } } },
          { destinations: [], unresolved: 500 },
        ),
        routeTo(
          { match: { path: { kind: "exact", path: "/gone" } } },
          { destinations: [{ host: "gone.shop", port: 1, weight: 1 }] },
        ),
      ]),
    ]);
    const moved = await ask({ host, path: "/moved" });
    assert.deepEqual([moved.status, moved.headers.location], [308, `https://${host}/moved`]);
    const own = await ask({ host, path: "/own" });
    assert.deepEqual([own.status, own.body], [418, "teapot"]);
    assert.equal((await ask({ host, path: "/nobody" })).status, 500);
    assert.equal((await ask({ host, path: "/gone" })).status, 503);
    assert.equal((await ask({ host, path: "/else" })).status, 404);
    assert.equal((await ask({ host: "other.example.com", path: "/own" })).status, 404);
    assert.equal(reached.length, 0);
  });

  test("an answer that has no room for what a route adds is withheld, and the gateway goes on", async () => {
    const many = await ground.listening(
      createServer((_, response) => {
        for (let index = 0; index < 124; index++) response.setHeader(`x-${index}`, "1");
        response.end("too much");
      }),
    );
    const add = Array.from({ length: 40 }, (_, index) => ({ name: `y-${index}`, value: "1" }));
    const route = routeTo(
      { headers: { response: { set: [], add, remove: ["x-1"] } } },
      { destinations: [{ ...WEB, host: "many.production.svc.cluster.local" }] },
    );
    const { ask } = await edgeStage(ground, [httpServer(host, undefined, [route])], {
      destinations: [destination({ name: "many", port: portOf(many), mutualTls: false })],
    });
    for (let round = 0; round < 2; round++) {
      const told = await ask({ host });
      assert.deepEqual([told.status, told.headers["x-2"]], [500, undefined]);
    }
  });

  test("a plaintext host may send everybody to TLS", async () => {
    const server = httpServer(host, undefined);
    const redirecting = {
      ...server,
      traffic: {
        is: "http",
        virtualHosts: [{ domains: [host], routes: [], httpsRedirect: true }],
      },
    } as const;
    const { ask } = await edgeStage(ground, [redirecting]);
    const told = await ask({ host, path: "/a?b" });
    assert.deepEqual([told.status, told.headers.location], [301, `https://${host}/a?b`]);
  });

  test("an endpoint of the mesh is called by mutual TLS, and its policy sees the gateway", async () => {
    const hosts: string[] = [];
    const application = await ground.listening(
      createServer((request, response) => {
        hosts.push(String(request.headers["x-forwarded-client-cert"]));
        response.end("from the mesh");
      }),
    );
    const listen = await freePort();
    await ground.start({
      view: workloadView({
        name: "api",
        rootsPem: ground.rootsPem,
        ports: [inboundPort({ listen, application: portOf(application) })],
        policies: [
          policy("ALLOW", "front-only", {
            from: [{ principals: ["cluster.local/ns/production/sa/front"] }],
          }),
        ],
      }),
      svid: ground.mesh.svid(idOf("api")),
    });
    const api = { ...WEB, host: "api.production.svc.cluster.local" };
    const { ask, gateway } = await edgeStage(
      ground,
      [httpServer(host, tlsOf("SIMPLE", certificate), [routeTo({}, { destinations: [api] })])],
      { destinations: [destination({ name: "api", port: listen })] },
    );
    const told = await ask({ host, tls: {} });
    assert.deepEqual([told.status, told.body], [200, "from the mesh"]);
    assert.match(String(hosts[0]), new RegExp(`URI=${idOf("front")}$`));
    const entry = await gateway.entry();
    assert.deepEqual(
      [entry.source_principal, entry.destination_principal],
      [idOf("front"), idOf("api")],
    );
  });
});

test("a WebSocket goes through, by TLS, and a route's timeout does not end it", async () => {
  const application = createServer().on("upgrade", (_, socket) => {
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    );
    socket.on("data", (bytes) => socket.write(`echo ${bytes}`));
    socket.on("error", () => socket.destroy());
  });
  const port = portOf(await ground.listening(application));
  const route = routeTo(
    {},
    { destinations: [{ ...WEB, host: "ws.production.svc.cluster.local" }], timeoutMs: 100 },
  );
  const { port: edge } = await edgeStage(
    ground,
    [httpServer(host, tlsOf("SIMPLE", certificate), [route])],
    { destinations: [destination({ name: "ws", port, mutualTls: false })] },
  );
  const socket = connectTls({
    host: LOOPBACK,
    port: edge,
    servername: host,
    rejectUnauthorized: false,
  });
  socket.write(
    `GET /ws HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n\r\n`,
  );
  const [head] = await once(socket, "data");
  assert.match(String(head), /^HTTP\/1\.1 101/);
  await delay(200);
  socket.write("hello");
  const [echo] = await once(socket, "data");
  assert.equal(String(echo), "echo hello");
  socket.destroy();
});

describe("policies of the gateway", () => {
  const denied = policy("DENY", "no-admin", { to: [{ hosts: ["deny.example.com"] }] });

  test("come before routes; the path is judged as it came, normalised", async () => {
    const { ask, reached } = await edgeStage(
      ground,
      [
        httpServer("*", undefined, [
          routeTo({}, { rewrite: { path: { do: "replace-path", path: "/" } } }),
        ]),
      ],
      { policies: [denied, policy("DENY", "no-path", { to: [{ paths: ["/admin*"] }] })] },
    );
    const refused = await ask({ host: "Deny.Example.com" });
    assert.deepEqual([refused.status, refused.body], [403, "RBAC: access denied"]);
    assert.equal((await ask({ host, path: "/x/../admin" })).status, 403);
    assert.equal((await ask({ host, path: "/public" })).status, 200);
    assert.equal(reached.length, 1);
  });

  const proxies = (trustedProxies: number) => ({ topology: { trustedProxies } });
  const only = policy("ALLOW", "office", { from: [{ remoteIpBlocks: ["203.0.113.0/24"] }] });
  const xff = "203.0.113.7, 198.51.100.1";
  const cases = [
    ["nobody in front is trusted", 0, xff, 403],
    ["the last proxy says where it comes from", 1, xff, 403],
    ["of two proxies the first saw the client", 2, xff, 200],
    ["fewer proxies than there should be", 3, xff, 403],
    ["what a client writes lies further back", 1, "203.0.113.7, 10.0.0.1", 403],
    ["an entry that is no address", 1, "203.0.113.7, unknown", 403],
  ] as const;
  for (const [what, hops, forwardedFor, status] of cases) {
    test(`AP-51, remoteIpBlocks: ${what}`, async () => {
      const { ask } = await edgeStage(ground, [httpServer(host, undefined)], {
        policies: [only],
        ...proxies(hops),
      });
      const told = await ask({ host, headers: { "x-forwarded-for": forwardedFor } });
      assert.equal(told.status, status);
    });
  }

  test("AP-51a: what strangers say of themselves is replaced, and the address is appended", async () => {
    const headers = {
      "x-forwarded-for": "1.2.3.4",
      "x-forwarded-proto": "https",
      "x-request-id": "forged",
      "x-envoy-external-address": "10.0.0.1",
      "x-envoy-upstream-rq-timeout-ms": "1",
      "x-forwarded-client-cert": "By=x",
    };
    const { ask, reached } = await edgeStage(ground, [httpServer(host, undefined)]);
    await ask({ host, headers });
    const told = reached[0]?.headers ?? {};
    assert.equal(told["x-forwarded-for"], "1.2.3.4,127.0.0.1");
    assert.equal(told["x-forwarded-proto"], "http");
    assert.equal(told["x-envoy-external-address"], "127.0.0.1");
    assert.equal(told["x-envoy-upstream-rq-timeout-ms"], undefined);
    assert.equal(told["x-forwarded-client-cert"], undefined);
    assert.notEqual(told["x-request-id"], "forged");
  });
});

describe("tries", () => {
  const retrying = (more: object = {}) => [
    httpServer(host, undefined, [routeTo({}, { retries: RETRIES, ...more })]),
  ];

  test("an answer that counts is asked for again", async () => {
    const { ask, reached } = await edgeStage(ground, retrying(), {
      answer: (_, times) => (times < 3 ? 503 : 200),
    });
    assert.equal((await ask({ host })).status, 200);
    assert.equal(reached.length, 3);
  });

  test("no oftener than the route says: then the last answer goes on", async () => {
    const { ask, reached } = await edgeStage(ground, retrying(), { answer: () => 502 });
    const told = await ask({ host });
    assert.deepEqual([told.status, told.headers["x-application"]], [502, "yes"]);
    assert.equal(reached.length, 3);
  });

  test("a body that is short is sent again from its beginning; one that is long is not", async () => {
    const { ask, reached } = await edgeStage(ground, retrying(), {
      answer: (_, times) => (times % 2 === 1 ? 503 : 200),
    });
    const short = "x".repeat(40_000);
    const told = await ask({ host, method: "POST", body: short });
    assert.deepEqual([told.status, told.body.length], [200, short.length]);
    assert.equal(reached.length, 2);
    const long = await ask({ host, method: "POST", body: "x".repeat(400_000) });
    assert.deepEqual([long.status, long.body.length], [503, 400_000]);
    assert.equal(reached.length, 3);
  });

  test("without retries an answer is an answer", async () => {
    const { ask, reached } = await edgeStage(ground, [httpServer(host, undefined)], {
      answer: () => 503,
    });
    assert.equal((await ask({ host })).status, 503);
    assert.equal(reached.length, 1);
  });

  test("a request that takes too long is given up, and so is one try of several", async () => {
    const { ask, reached, gateway } = await edgeStage(ground, retrying({ timeoutMs: 150 }), {
      answer: () => "nothing",
    });
    const told = await ask({ host });
    assert.equal(told.status, 504);
    assert.equal(reached.length, 1);
    assert.equal((await gateway.entry()).response_flags, "UT");
    const each = await edgeStage(
      ground,
      retrying({ retries: { ...RETRIES, perTryTimeoutMs: 60 } }),
      { answer: (_, times) => (times === 1 ? "nothing" : 200) },
    );
    assert.equal((await each.ask({ host })).status, 200);
    assert.equal(each.reached.length, 2);
  });
});
