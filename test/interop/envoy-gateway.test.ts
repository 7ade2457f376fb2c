/** A gateway whose proxy is a real Envoy: hosts, certificates of Secrets, what clients must prove, and TLS that is passed on. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { GatewayServer } from "../../src/policy/gateway-view.ts";
import {
  ask,
  askAll,
  clientAuthority,
  clientCertificate,
  httpServer,
  ORIGIN,
  routeTo,
  serverCertificate,
  tlsOf,
  trustIn,
} from "../kit/edge-stage.ts";
import { startTestEnvoy, type TestEnvoy } from "../kit/envoy-pod.ts";
import { freePort } from "../kit/free-port.ts";
import {
  destination,
  idOf,
  LOOPBACK,
  policy,
  portOf,
  workloadView,
} from "../kit/sidecar-fixture.ts";
import { sidecarGround } from "../kit/sidecar-ground.ts";

const ground = sidecarGround();
const shop = serverCertificate("shop.example.com");
const partners = serverCertificate("partners.example.com");
let gateway: TestEnvoy;
let [plainPort, tlsPort] = [0, 0];

/** Whoever is passed on unopened is answered in plaintext: that is all there is to be seen of it. */
const PLAIN_ANSWER = "answered in plaintext";

before(async () => {
  [plainPort, tlsPort] = [await freePort(), await freePort()];
  const web = portOf(
    await ground.listening(
      createServer((incoming, response) =>
        response.end(JSON.stringify({ url: incoming.url, ...incoming.headers })),
      ),
    ),
  );
  const opaque = portOf(
    await ground.listening(
      createTcpServer((socket) => socket.on("error", () => {}).end(PLAIN_ANSWER)),
    ),
  );
  const passed: GatewayServer = {
    origins: [ORIGIN],
    serverNames: ["passed.example.com"],
    tls: tlsOf("PASSTHROUGH"),
    traffic: {
      is: "stream",
      routes: [
        {
          origin: ORIGIN,
          serverNames: ["passed.example.com"],
          destinations: [{ host: "opaque.production.svc.cluster.local", port: 8080, weight: 1 }],
        },
      ],
    },
  };
  const view = workloadView({
    name: "front",
    rootsPem: ground.rootsPem,
    destinations: [
      destination({ name: "web", port: web, mutualTls: false }),
      destination({ name: "opaque", port: opaque, protocol: "tcp", mutualTls: false }),
    ],
    policies: [policy("DENY", "admin", { to: [{ paths: ["/admin*"], ports: ["8080"] }] })],
  });
  const redirecting = httpServer("secure.example.com", undefined);
  const [virtualHosts] = redirecting.traffic.is === "http" ? redirecting.traffic.virtualHosts : [];
  assert.ok(virtualHosts);
  const plain: GatewayServer = {
    ...httpServer("shop.example.com", undefined),
    traffic: {
      is: "http",
      virtualHosts: [
        { domains: ["shop.example.com"], routes: [routeTo()] },
        { ...virtualHosts, httpsRedirect: true },
      ],
    },
  };
  const encrypted: readonly GatewayServer[] = [
    httpServer("shop.example.com", tlsOf("SIMPLE", shop)),
    httpServer(
      "partners.example.com",
      tlsOf("MUTUAL", partners, { clientTrust: trustIn(clientAuthority) }),
    ),
    httpServer("broken.example.com", tlsOf("SIMPLE", undefined, { problem: "there is no Secret" })),
    passed,
  ];
  gateway = await startTestEnvoy({
    view: {
      ...view,
      gateway: {
        listeners: [
          {
            port: 80,
            containerPort: 8080,
            listen: { address: LOOPBACK, port: plainPort },
            servers: [plain],
          },
          {
            port: 443,
            containerPort: 8443,
            listen: { address: LOOPBACK, port: tlsPort },
            servers: encrypted,
          },
        ],
      },
    },
    svid: ground.mesh.svid(idOf("front")),
  });
});

after(() => gateway?.close());

describe("in plaintext", () => {
  const TABLE: readonly [host: string, path: string, status: number][] = [
    ["shop.example.com", "/", 200],
    ["shop.example.com:8080", "/", 200],
    ["shop.example.com.", "/", 200],
    ["else.example.com", "/", 404],
    ["secure.example.com", "/x", 301],
    ["shop.example.com", "/admin", 403],
    ["shop.example.com", "/%61dmin", 403],
    ["shop.example.com", "//admin/", 200],
  ];
  for (const [host, path, status] of TABLE) {
    test(`${host}${path} is answered ${status}`, async () => {
      assert.equal((await ask(plainPort, { host, path })).status, status);
    });
  }

  test("AP-51a: nobody is believed who says for whom it speaks", async () => {
    const headers = {
      "x-forwarded-for": "203.0.113.9",
      "x-forwarded-proto": "https",
      "x-forwarded-client-cert": "URI=spiffe://cluster.local/ns/x/sa/admin",
    };
    const { body } = await ask(plainPort, { host: "shop.example.com", headers });
    const seen = JSON.parse(body);
    assert.match(seen["x-forwarded-for"], /^203\.0\.113\.9,[0-9.]+$/);
    assert.equal(seen["x-forwarded-proto"], "http");
    assert.equal(seen["x-forwarded-client-cert"], undefined);
  });
});

describe("with certificates of Secrets", () => {
  test("a host is served with its own, and HTTP/2 is offered", async () => {
    assert.deepEqual(
      await askAll(tlsPort, "shop.example.com", [{ authority: "shop.example.com" }]),
      [200],
    );
    const { body } = await ask(tlsPort, {
      host: "shop.example.com",
      tls: {},
    });
    assert.equal(JSON.parse(body)["x-forwarded-proto"], "https");
  });

  test("RFC 9110 15.5.20: what is asked of another server's host is misdirected", async () => {
    const statuses = await askAll(tlsPort, "shop.example.com", [
      { authority: "partners.example.com" },
    ]);
    assert.deepEqual(statuses, [421]);
  });

  test("MUTUAL: only whose certificate leads to the Secret's authorities", async () => {
    const host = "partners.example.com";
    const known = clientCertificate("acme");
    const answer = await ask(tlsPort, { host, tls: { cert: known.pem, key: known.keyPem } });
    assert.equal(answer.status, 200);
    const stranger = clientCertificate("acme", serverCertificate("other"));
    await assert.rejects(ask(tlsPort, { host, tls: {} }));
    await assert.rejects(ask(tlsPort, { host, tls: { cert: stranger.pem, key: stranger.keyPem } }));
    for (const problem of [/^no certificate was presented$/, /^the certificate is not trusted: /]) {
      const { decision, requested_server_name } = await gateway.entry(
        (one) =>
          one.decision?.reason.because === "peer-not-verified" &&
          problem.test(one.decision.reason.problem),
      );
      assert.deepEqual([decision?.verdict, requested_server_name], ["deny", host]);
    }
  });

  for (const name of ["broken.example.com", "nobody.example.com"]) {
    test(`${name} has nothing to show, and no handshake comes about`, async () => {
      await assert.rejects(ask(tlsPort, { host: name, tls: {} }));
    });
  }
});

test("PASSTHROUGH: TLS goes on as it came, by its server name", async () => {
  const tls = connectTls({
    host: LOOPBACK,
    port: tlsPort,
    servername: "passed.example.com",
    rejectUnauthorized: false,
  });
  const error = await new Promise<Error>((resolve) => tls.on("error", resolve));
  assert.match(String(error), /wrong version|packet length/);
});
