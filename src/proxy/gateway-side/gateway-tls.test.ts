/** A gateway's TLS over real sockets: which server answers, with which certificate, and who is let in. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { buildCertificate, buildRevocationList } from "../../../test/kit/certificate-builder.ts";
import {
  clientAuthority,
  clientCertificate,
  edgeStage,
  httpServer,
  serverCertificate,
  tlsOf,
  trustIn,
} from "../../../test/kit/edge-stage.ts";
import { LOOPBACK } from "../../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../../test/kit/sidecar-ground.ts";

const ground = sidecarGround();
const [shop, admin] = ["shop.example.com", "admin.example.com"];
const [shopCertificate, adminCertificate] = [serverCertificate(shop), serverCertificate(admin)];
const simple = tlsOf("SIMPLE", shopCertificate);

async function shown(port: number, servername: string | undefined): Promise<string> {
  const name = servername === undefined ? {} : { servername };
  const socket: TLSSocket = connectTls({
    host: LOOPBACK,
    port,
    rejectUnauthorized: false,
    ...name,
  });
  await once(socket, "secureConnect");
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

describe("servers of one port", () => {
  test("are told apart by the server name; nobody answers for another", async () => {
    const { port, gateway } = await edgeStage(ground, [
      httpServer(shop, simple),
      httpServer("*.example.com", tlsOf("SIMPLE", adminCertificate)),
    ]);
    assert.equal(await shown(port, shop), shop);
    assert.equal(await shown(port, "any.example.com"), admin);
    await assert.rejects(shown(port, "example.org"));
    await assert.rejects(shown(port, undefined));
    const entry = await gateway.entry(({ requested_server_name: name }) => name === "example.org");
    assert.equal(entry.response_flags, "NR");
  });

  test("a client that knows neither h2 nor http/1.1 by name is served all the same", async () => {
    const { ask } = await edgeStage(ground, [httpServer(shop, simple)]);
    for (const names of [["http/1.0"], ["http/1.1"], ["x", "http/1.1"]])
      assert.equal((await ask({ host: shop, tls: { ALPNProtocols: names } })).status, 200);
  });

  test("one without a certificate refuses its handshakes, and the others go on", async () => {
    const problem = "there is no Secret istio-ingress/admin";
    const { port, ask, gateway } = await edgeStage(ground, [
      httpServer(shop, simple),
      httpServer(admin, tlsOf("SIMPLE", undefined, { problem })),
    ]);
    assert.equal((await ask({ host: shop, tls: {} })).status, 200);
    await assert.rejects(shown(port, admin));
    const entry = await gateway.entry(({ requested_server_name: name }) => name === admin);
    assert.deepEqual(entry.decision?.reason, { because: "peer-not-verified", problem });
    assert.equal((await gateway.line("server refuses all handshakes")).fields["hosts"], admin);
  });

  test("a key that does not fit its certificate is such a problem", async () => {
    const mixed = { ...shopCertificate, keyPem: adminCertificate.keyPem };
    const { ask, gateway } = await edgeStage(ground, [httpServer(shop, tlsOf("SIMPLE", mixed))]);
    await assert.rejects(ask({ host: shop, tls: {} }));
    const { fields } = await gateway.line("server refuses all handshakes");
    assert.match(String(fields["problem"]), /its TLS settings cannot be used/);
  });

  test("421: a connection that was made for one host asks nothing of another's server", async () => {
    const { askAll, reached } = await edgeStage(ground, [
      httpServer(shop, simple),
      httpServer(
        admin,
        tlsOf("MUTUAL", adminCertificate, { clientTrust: trustIn(clientAuthority) }),
      ),
    ]);
    const authorities = [shop, admin, "ADMIN.example.com:443", "nobody.example.com", shop];
    const statuses = await askAll(
      shop,
      authorities.map((authority) => ({ authority })),
    );
    assert.deepEqual(statuses, [200, 421, 421, 404, 200]);
    assert.equal(reached.length, 2);
  });
});

describe("clients' certificates", () => {
  const trust = trustIn(clientAuthority);
  const alice = clientCertificate("alice");
  const stranger = clientCertificate("alice", buildCertificate());
  const by = (one: { pem: string; keyPem: string }) => ({ cert: one.pem, key: one.keyPem });
  const cases = [
    ["MUTUAL", trust, "a good one", by(alice), true],
    ["MUTUAL", trust, "none", {}, false],
    ["MUTUAL", trust, "one of another authority", by(stranger), false],
    ["OPTIONAL_MUTUAL", trust, "none", {}, true],
    ["OPTIONAL_MUTUAL", trust, "one of another authority", by(stranger), false],
    [
      "MUTUAL",
      { ...trust, subjectAltNames: ["alice.acme.example"] },
      "a name that is let in",
      by(alice),
      true,
    ],
    [
      "MUTUAL",
      { ...trust, subjectAltNames: ["bob.acme.example"] },
      "another name",
      by(alice),
      false,
    ],
    ["MUTUAL", { ...trust, certificateHashes: ["00"] }, "another hash", by(alice), false],
    [
      "MUTUAL",
      {
        ...trust,
        crlPem: buildRevocationList(clientAuthority, { revoked: [{ serialNumber: "01" }] }),
      },
      "a revoked one",
      by(alice),
      false,
    ],
  ] as const;
  for (const [mode, clientTrust, what, tls, isIn] of cases) {
    test(`${mode}: ${what} ${isIn ? "is let in" : "is refused before anything is read"}`, async () => {
      const server = httpServer(shop, tlsOf(mode, shopCertificate, { clientTrust }));
      const { ask, reached } = await edgeStage(ground, [server]);
      if (isIn) assert.equal((await ask({ host: shop, tls })).status, 200);
      else await assert.rejects(ask({ host: shop, tls }));
      assert.equal(reached.length, isIn ? 1 : 0);
    });
  }

  test("OBS-31: the application is told of them by nobody but the gateway", async () => {
    const server = httpServer(
      shop,
      tlsOf("OPTIONAL_MUTUAL", shopCertificate, { clientTrust: trust }),
    );
    const { ask, reached } = await edgeStage(ground, [server], {
      proxyHeaders: {
        forwardedClientCert: "SANITIZE_SET",
        clientCertDetails: ["subject", "uri", "dns"],
      },
    });
    const headers = { "x-forwarded-client-cert": "By=spiffe://forged" };
    await ask({ host: shop, tls: by(alice), headers });
    await ask({ host: shop, tls: {}, headers });
    const [certain, nobody] = reached.map((one) => one.headers["x-forwarded-client-cert"]);
    assert.match(
      String(certain),
      /^By=spiffe:\/\/cluster\.local\/ns\/production\/sa\/front;Hash=[0-9a-f]{64};Subject="CN=alice,O=Acme";URI=spiffe:\/\/acme\.example\/alice;DNS=alice\.acme\.example$/,
    );
    assert.equal(nobody, undefined);
  });

  test("a certificate of the user's authority makes nobody a principal of the mesh", async () => {
    const forged = buildCertificate({
      subject: { commonName: "x" },
      issuer: clientAuthority,
      authority: false,
      usage: ["digitalSignature"],
      uris: ["spiffe://cluster.local/ns/production/sa/admin"],
    });
    const server = httpServer(shop, tlsOf("MUTUAL", shopCertificate, { clientTrust: trust }));
    const { ask } = await edgeStage(ground, [server], {
      policies: [
        {
          ref: { kind: "AuthorizationPolicy", namespace: "production", name: "mesh-only" },
          source: { file: "p.yaml", line: 1 },
          action: "ALLOW",
          rules: [{ line: 2, from: [{ principals: ["*"] }], to: [], when: [] }],
        },
      ],
    });
    assert.equal((await ask({ host: shop, tls: by(forged) })).status, 403);
  });
});

describe("while connections stand", () => {
  test("another certificate is shown from the next handshake on, and nothing that stands is dropped", async () => {
    const { serve, port, ask } = await edgeStage(ground, [httpServer(shop, simple)]);
    const socket = connectTls({
      host: LOOPBACK,
      port,
      servername: shop,
      rejectUnauthorized: false,
    });
    await once(socket, "secureConnect");
    const renewed = buildCertificate({ subject: { commonName: "renewed" }, dnsNames: [shop] });
    serve([httpServer(shop, tlsOf("SIMPLE", renewed))]);
    assert.equal(await shown(port, shop), "renewed");
    socket.write(`GET / HTTP/1.1\r\nhost: ${shop}\r\n\r\n`);
    const [answer] = await once(socket, "data");
    assert.match(String(answer), /^HTTP\/1\.1 200/);
    socket.destroy();
    assert.equal((await ask({ host: shop, tls: {} })).status, 200);
  });

  test("a server that comes to demand certificates ends connections that have shown none", async () => {
    for (const mode of ["MUTUAL", "ISTIO_MUTUAL"] as const) {
      const { serve, port } = await edgeStage(ground, [httpServer(shop, simple)]);
      const open = { host: LOOPBACK, port, servername: shop, rejectUnauthorized: false };
      const socket = connectTls(open);
      socket.write(`GET / HTTP/1.1\r\nhost: ${shop}\r\n\r\n`);
      await once(socket, "data");
      const demanding =
        mode === "MUTUAL"
          ? tlsOf(mode, shopCertificate, { clientTrust: trustIn(clientAuthority) })
          : tlsOf(mode);
      serve([httpServer(shop, demanding)]);
      await once(socket.resume(), "close");
    }
  });

  test("a client whom the newest view would not let in is cut off", async () => {
    const alice = clientCertificate("alice");
    const server = (authority = clientAuthority) =>
      httpServer(shop, tlsOf("MUTUAL", shopCertificate, { clientTrust: trustIn(authority) }));
    const { serve, port, gateway } = await edgeStage(ground, [server()]);
    const socket = connectTls({
      host: LOOPBACK,
      port,
      servername: shop,
      rejectUnauthorized: false,
      cert: alice.pem,
      key: alice.keyPem,
    });
    socket.write(`GET / HTTP/1.1\r\nhost: ${shop}\r\n\r\n`);
    await once(socket, "data");
    serve([server(buildCertificate({ subject: { commonName: "another" } }))]);
    await once(socket.resume(), "close");
    assert.match(
      String((await gateway.line("HTTP connection ended by a change of trust")).fields["from"]),
      /^127\.0\.0\.1/,
    );
  });
});
