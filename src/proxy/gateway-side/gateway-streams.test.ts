/** What a gateway carries without reading it, and its servers for callers of the mesh, over real sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer as createTcpServer } from "node:net";
import { describe, test } from "node:test";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { buildCertificate } from "../../../test/kit/certificate-builder.ts";
import {
  clientAuthority,
  clientCertificate,
  edgeStage,
  httpServer,
  ORIGIN,
  serverCertificate,
  tlsOf,
  trustIn,
} from "../../../test/kit/edge-stage.ts";
import { destination, idOf, LOOPBACK, policy, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../../test/kit/sidecar-ground.ts";
import type { GatewayServer, GatewayTls } from "../../policy/gateway-view.ts";

const ground = sidecarGround();
const PASSED = "db.example.com";
const ends = serverCertificate("the application's own");

const greeter = () => ground.listening(createTcpServer((socket) => socket.end("hello")));
const secureGreeter = () =>
  ground.listening(
    createTlsServer({ cert: ends.pem, key: ends.keyPem }, (one) => one.end("hello")),
  );
const named = (name: string, port: number) =>
  destination({ name, port, protocol: "tcp", mutualTls: false });
const toDb = { host: "db.production.svc.cluster.local", port: 8080, weight: 1 };

function streamServer(
  serverNames: readonly string[],
  tls: GatewayTls | undefined,
  names: readonly string[] | "any" = serverNames,
): GatewayServer {
  const route = {
    origin: ORIGIN,
    destinations: [toDb],
    ...(names !== "any" && { serverNames: names }),
  };
  return {
    origins: [ORIGIN],
    serverNames,
    ...(tls && { tls }),
    traffic: { is: "stream", routes: [route] },
  };
}

async function greeting(port: number, servername?: string): Promise<readonly [string, string]> {
  const socket =
    servername === undefined
      ? connect({ host: LOOPBACK, port })
      : connectTls({ host: LOOPBACK, port, servername, rejectUnauthorized: false });
  let text = "";
  let subject = "";
  socket.on("error", () => {});
  socket.on("secureConnect", () => {
    if ("getPeerCertificate" in socket) subject = String(socket.getPeerCertificate().subject.CN);
  });
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  await new Promise((resolve) => socket.once("close", resolve));
  return [text, subject];
}

describe("streams", () => {
  test("PASSTHROUGH: TLS goes on as it is, by its server name; nobody's name is refused", async () => {
    const application = await secureGreeter();
    const server = streamServer([PASSED, "other.example.com"], tlsOf("PASSTHROUGH"), [PASSED]);
    const { port, gateway } = await edgeStage(ground, [server], {
      destinations: [named("db", portOf(application))],
    });
    assert.deepEqual(await greeting(port, PASSED), ["hello", "the application's own"]);
    assert.deepEqual(await greeting(port, "other.example.com"), ["", ""]);
    const entry = await gateway.entry(({ upstream_cluster: cluster }) => cluster !== null);
    assert.deepEqual(
      [entry.upstream_cluster, entry.requested_server_name, entry.reporter],
      ["outbound|8080||db.production.svc.cluster.local", PASSED, "source"],
    );
  });

  test("TLS that is taken off, and TCP as it comes", async () => {
    const application = await greeter();
    const destinations = [named("db", portOf(application))];
    const tls = tlsOf("SIMPLE", serverCertificate(PASSED));
    const opened = await edgeStage(ground, [streamServer([PASSED], tls, "any")], {
      destinations,
    });
    assert.deepEqual(await greeting(opened.port, PASSED), ["hello", PASSED]);
    const plain = await edgeStage(ground, [streamServer([], undefined, "any")], {
      destinations,
    });
    assert.deepEqual(await greeting(plain.port), ["hello", ""]);
  });

  test("policies of the gateway hold, and again when they change", async () => {
    const application = await ground.listening(createTcpServer((socket) => socket.write("hello")));
    const denied = policy("DENY", "nobody", { from: [{ ipBlocks: ["127.0.0.1"] }] });
    const stage = await edgeStage(ground, [streamServer([], undefined, "any")], {
      destinations: [named("db", portOf(application))],
    });
    const socket = connect({ host: LOOPBACK, port: stage.port });
    await once(socket, "data");
    stage.change((view) => ({
      ...view,
      inbound: {
        ...view.inbound,
        authorization: { ...view.inbound.authorization, deny: [denied] },
      },
    }));
    await once(socket, "close");
    assert.deepEqual(await greeting(stage.port), ["", ""]);
  });
});

test("a client whose authority is trusted no more is cut off, whatever it carries", async () => {
  const application = await ground.listening(createTcpServer((socket) => socket.write("hello")));
  const alice = clientCertificate("alice");
  const server = (authority = clientAuthority): GatewayServer =>
    streamServer(
      [PASSED],
      tlsOf("MUTUAL", serverCertificate(PASSED), { clientTrust: trustIn(authority) }),
      "any",
    );
  const { port, serve } = await edgeStage(ground, [server()], {
    destinations: [named("db", portOf(application))],
  });
  const socket = connectTls({
    host: LOOPBACK,
    port,
    servername: PASSED,
    rejectUnauthorized: false,
    cert: alice.pem,
    key: alice.keyPem,
  });
  await once(socket, "data");
  serve([server(buildCertificate({ subject: { commonName: "another" } }))]);
  await once(socket, "close");
});

describe("ISTIO_MUTUAL", () => {
  const server = httpServer("*", tlsOf("ISTIO_MUTUAL"));
  const only = policy("ALLOW", "frontend", {
    from: [{ principals: ["cluster.local/ns/production/sa/frontend"] }],
  });
  const caller = (name: string) => {
    const svid = ground.mesh.svid(idOf(name));
    return { cert: svid.certificateChainPem, key: svid.privateKeyPem };
  };

  test("QK-30: the caller's identity is its principal; nobody else gets in", async () => {
    const { ask, gateway } = await edgeStage(ground, [server], { policies: [only] });
    const tls = { ...caller("frontend"), ALPNProtocols: ["istio-http/1.1", "http/1.1"] };
    assert.equal((await ask({ host: "a.example.com", tls })).status, 200);
    assert.equal((await ask({ host: "a.example.com", tls: caller("other") })).status, 403);
    const stranger = clientCertificate("alice");
    await assert.rejects(
      ask({ host: "a.example.com", tls: { cert: stranger.pem, key: stranger.keyPem } }),
    );
    const entry = await gateway.entry(
      ({ decision }) => decision?.reason.because === "matched-allow",
    );
    assert.equal(entry.response_code, 200);
  });
});

describe("NetworkPolicy", () => {
  test("whom it does not admit gets nothing from a gateway on the machine's loopback", async () => {
    const stage = await edgeStage(ground, [httpServer("*", undefined)]);
    assert.equal((await stage.ask({ host: "a" })).status, 200);
    stage.change((view) => ({
      ...view,
      gateway: {
        listeners: (view.gateway?.listeners ?? []).map((one) => ({
          ...one,
          admission: { policies: [], identities: [], anyone: false },
        })),
      },
    }));
    await assert.rejects(stage.ask({ host: "a" }));
    assert.equal(stage.reached.length, 1);
  });
});
