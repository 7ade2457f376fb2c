/** What strangers write, and what tenants write into routes, over real sockets: neither steers what is not theirs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import {
  clientAuthority,
  edgeStage,
  httpServer,
  ORIGIN,
  routeTo,
  serverCertificate,
  tlsOf,
  trustIn,
} from "../../../test/kit/edge-stage.ts";
import { idOf, LOOPBACK, policy } from "../../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../../test/kit/sidecar-ground.ts";
import type { FaultInjection } from "../../api/routing/route-parts.ts";
import type { CallerDemands, GatewayServer } from "../../policy/gateway-view.ts";
import type { HttpRoute } from "../../policy/routes/virtual-host.ts";

const ground = sidecarGround();
const [shop, admin] = ["shop.example.com", "admin.example.com"];

/** The whole answer, as it lies on the connection. */
async function spoken(port: number, target: string): Promise<string> {
  const socket = connect({ host: LOOPBACK, port });
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${shop}\r\nConnection: close\r\n\r\n`);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  await once(socket, "close");
  return text;
}

describe("a host in another spelling", () => {
  const anyHost: GatewayServer = {
    origins: [ORIGIN],
    serverNames: [],
    traffic: {
      is: "http",
      virtualHosts: [
        { domains: [admin], routes: [routeTo()] },
        { domains: ["*"], routes: [routeTo()] },
      ],
    },
  };
  const denied = policy("DENY", "no-admin", { to: [{ hosts: [admin, `${admin}:*`] }] });
  const spellings: [host: string, status: number, told?: string][] = [
    [admin, 403],
    [`${admin}.`, 403],
    [`${admin}..`, 403],
    ["ADMIN.Example.com.:80", 403],
    ["%61dmin.example.com", 400],
    [`${shop}.`, 200, shop],
    [`${shop}.:8080`, 200, `${shop}:8080`],
    [".", 200, "."],
  ];
  for (const [host, status, told] of spellings) {
    test(`${host} is answered ${status}`, async () => {
      const { ask, reached } = await edgeStage(ground, [anyHost], { policies: [denied] });
      assert.equal((await ask({ host })).status, status);
      assert.deepEqual(
        reached.map(({ headers }) => headers.host),
        told === undefined ? [] : [told],
      );
    });
  }

  test("is no way past the server that demands a certificate for it", async () => {
    const { askAll, reached } = await edgeStage(ground, [
      httpServer("*", tlsOf("SIMPLE", serverCertificate(shop))),
      httpServer(
        admin,
        tlsOf("MUTUAL", serverCertificate(admin), { clientTrust: trustIn(clientAuthority) }),
      ),
    ]);
    const statuses = await askAll(shop, [{ authority: `${admin}.` }, { authority: shop }]);
    assert.deepEqual(statuses, [421, 200]);
    assert.equal(reached.length, 1);
  });
});

test("nobody outside says who a proxy of the mesh is", async () => {
  const { ask, reached } = await edgeStage(ground, [httpServer(shop, undefined)]);
  const headers = { "x-envoy-peer-metadata": "a", "x-envoy-peer-metadata-id": "router~1" };
  await ask({ host: shop, headers });
  const told = Object.keys(reached[0]?.headers ?? {});
  assert.deepEqual(
    told.filter((name) => name.includes("metadata")),
    [],
  );
});

describe("headers of the connection that a route sets", () => {
  const change = (name: string, value: string): Pick<HttpRoute, "headers"> => ({
    headers: { response: { set: [{ name, value }], add: [{ name, value }], remove: [] } },
  });
  const names: [name: string, value: string][] = [
    ["transfer-encoding", "chunked"],
    ["content-length", "9999"],
    ["connection", "upgrade"],
    ["upgrade", "websocket"],
    ["trailer", "x"],
  ];
  for (const [name, value] of names) {
    test(`${name}: an answer has one end, whoever made it`, async () => {
      const { port } = await edgeStage(ground, [
        httpServer(shop, undefined, [
          routeTo({
            ...change(name, value),
            match: { path: { kind: "prefix", path: "/moved" } },
            action: { do: "redirect", status: 302 },
          }),
          routeTo({
            ...change(name, value),
            match: { path: { kind: "prefix", path: "/own" } },
            action: { do: "respond", status: 200, body: { text: "own" } },
          }),
          routeTo(change(name, value)),
        ]),
      ]);
      const ends: Record<string, string> = { "/": "reached", "/own": "own", "/moved": "" };
      for (const [path, body] of Object.entries(ends)) {
        const [head = "", ...rest] = (await spoken(port, path)).split("\r\n\r\n");
        assert.equal(rest.join("\r\n\r\n"), body);
        assert.equal(head.toLowerCase().includes(`${name}: ${value}`), false, head);
        assert.equal(/^content-length: (\d+)$/im.exec(head)?.[1], String(body.length));
      }
    });
  }

  test("what else a route sets replaces what an answer of ours has", async () => {
    const { ask } = await edgeStage(ground, [
      httpServer(shop, undefined, [
        routeTo({
          ...change("location", "https://elsewhere.example/"),
          action: { do: "redirect", status: 302 },
        }),
      ]),
    ]);
    const { headers } = await ask({ host: shop });
    assert.match(String(headers.location), /^https:\/\/elsewhere\.example\//);
  });
});

/** Two hops with normalisation: what the first one leaves of such a path, the second one would climb by. */
test("a dot segment with parameters reaches nobody, however it is written (AP-102)", async () => {
  const denied = policy("DENY", "no-admin", { to: [{ paths: ["/admin*"] }] });
  const { port, reached } = await edgeStage(ground, [httpServer(shop, undefined)], {
    policies: [denied],
  });
  const targets = ["/public/..;/admin", "/public/%2e%2e;/admin", "/public\\..;x/admin"];
  for (const target of targets)
    assert.equal((await spoken(port, target)).slice(9, 12), "400", target);
  assert.equal(reached.length, 0);
  assert.equal((await spoken(port, "/public/a;b=..;/c")).slice(9, 12), "200");
});

describe("a rewriting that would lead out of its place", () => {
  const route = (rewrite: object, prefix: string): HttpRoute =>
    routeTo({ match: { path: { kind: "prefix", path: prefix } } }, { rewrite: { path: rewrite } });
  const routes = [
    route({ do: "replace-prefix", prefix: "/files/" }, "/static"),
    route({ do: "replace-pattern", pattern: "^/re(.*)", substitution: "/in/\\1" }, "/re"),
  ];
  const paths: [path: string, reached: string | undefined][] = [
    ["/static/a", "/files//a"],
    ["/static../secret", undefined],
    ["/static..;/secret", undefined],
    ["/static..%2Fsecret", undefined],
    ["/static..%5csecret", undefined],
    ["/static..", undefined],
    ["/static.?a=b", undefined],
    ["/static...", "/files/..."],
    ["/static..a", "/files/..a"],
    ["/static%2e%2e/secret", undefined],
    ["/static../secret%2f.", undefined],
    ["/static../secret/a%2f../b", undefined],
    ["/static/a%5C..%2fb", undefined],
    ["/re../secret", undefined],
    ["/rea/b?c=/../d", "/in/a/b?c=/../d"],
  ];
  test("is refused, and any other is carried out", async () => {
    const { port, reached } = await edgeStage(ground, [httpServer(shop, undefined, routes)]);
    for (const [path, to] of paths) {
      const before = reached.length;
      const status = (await spoken(port, path)).slice(9, 12);
      assert.deepEqual(
        [status, reached[before]?.url],
        [to === undefined ? "400" : "200", to],
        path,
      );
    }
  });
});

describe("fault", () => {
  type Abort = NonNullable<FaultInjection["abort"]>;
  const aborting = (millionths: number, answer: Abort["answer"]): GatewayServer =>
    httpServer(shop, undefined, [routeTo({ fault: { abort: { millionths, answer } } })]);

  test("a route that is aborted reaches nobody", async () => {
    const whole = await edgeStage(ground, [aborting(1_000_000, { httpStatus: 451 })]);
    assert.equal((await whole.ask({ host: shop })).status, 451);
    assert.equal((await whole.gateway.entry()).response_flags, "FI");
    assert.equal(whole.reached.length, 0);
    const none = await edgeStage(ground, [aborting(0, { httpStatus: 451 })]);
    assert.equal((await none.ask({ host: shop })).status, 200);
  });

  test("a status of gRPC is told in the client's terms", async () => {
    const { ask } = await edgeStage(ground, [
      aborting(1_000_000, { grpcStatus: "PERMISSION_DENIED" }),
    ]);
    assert.equal((await ask({ host: shop })).status, 403);
    const told = await ask({ host: shop, headers: { "content-type": "application/grpc" } });
    assert.deepEqual([told.status, told.headers["grpc-status"]], [200, "7"]);
  });
});

describe("ISTIO_MUTUAL with names", () => {
  const only = (name: string): CallerDemands => ({
    subjectAltNames: [idOf(name)],
    certificateHashes: [],
    publicKeyHashes: [],
  });
  const server = (callers?: CallerDemands): GatewayServer =>
    httpServer("*", tlsOf("ISTIO_MUTUAL", undefined, callers && { callers }));
  const by = (name: string): { readonly cert: string; readonly key: string } => {
    const { certificateChainPem: cert, privateKeyPem: key } = ground.mesh.svid(idOf(name));
    return { cert, key };
  };

  test("is for these callers alone", async () => {
    const { ask, gateway } = await edgeStage(ground, [server(only("frontend"))]);
    assert.equal((await ask({ host: shop, tls: by("frontend") })).status, 200);
    await assert.rejects(ask({ host: shop, tls: by("other") }));
    const entry = await gateway.entry(({ decision }) => decision?.verdict === "deny");
    assert.match(JSON.stringify(entry.decision?.reason), /has none of the names/);
  });

  test("ends connections of those that it is not for any more", async () => {
    const { port, serve } = await edgeStage(ground, [server()]);
    const socket = connectTls({
      host: LOOPBACK,
      port,
      servername: shop,
      rejectUnauthorized: false,
      ...by("frontend"),
    });
    socket.write(`GET / HTTP/1.1\r\nHost: ${shop}\r\n\r\n`);
    await once(socket, "data");
    serve([server(only("other"))]);
    await once(socket.resume(), "close");
  });
});
