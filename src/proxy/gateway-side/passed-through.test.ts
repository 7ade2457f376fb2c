/** AUTO_PASSTHROUGH over real sockets (TLS-44): callers of the mesh get through unopened, and nobody else at all. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createTcpServer } from "node:net";
import { describe, test } from "node:test";
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
} from "node:tls";
import {
  type EdgeStage,
  edgeStage,
  ORIGIN,
  serverCertificate,
  tlsOf,
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
import type { GatewayServer } from "../../policy/gateway-view.ts";
import type { Destination } from "../../policy/workload-view.ts";
import { onlyEndpoint, passedThrough } from "./passed-through.ts";

const ground = sidecarGround();
const DB = "outbound_.8080_._.db.production.svc.cluster.local";
const passing: GatewayServer = {
  origins: [ORIGIN],
  serverNames: ["*"],
  tls: tlsOf("AUTO_PASSTHROUGH"),
  traffic: { is: "by-server-name" },
};

function caller(name: string): ConnectionOptions {
  const { certificateChainPem: cert, privateKeyPem: key } = ground.mesh.svid(idOf(name));
  return { cert, key };
}

/** What a client hears before the connection ends. */
async function heard(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connectTls({ host: LOOPBACK, port, rejectUnauthorized: false, ...options });
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

/** A gateway before the sidecar of a database, whose policy knows one caller. */
async function meshStage(): Promise<EdgeStage> {
  const application = await ground.listening(createTcpServer((socket) => socket.end("rows")));
  const listen = await freePort();
  await ground.start({
    view: workloadView({
      name: "db",
      rootsPem: ground.rootsPem,
      ports: [
        inboundPort({
          listen,
          application: portOf(application),
          protocol: "tcp",
          mode: "PERMISSIVE",
        }),
      ],
      policies: [
        policy("ALLOW", "frontend", {
          from: [{ principals: ["cluster.local/ns/production/sa/frontend"] }],
        }),
      ],
    }),
    svid: ground.mesh.svid(idOf("db")),
  });
  return edgeStage(ground, [passing], {
    destinations: [destination({ name: "db", port: listen, protocol: "tcp" })],
  });
}

describe("a service of the mesh", () => {
  const ALPNProtocols = ["istio"];

  test("sees its caller, and not the gateway", async () => {
    const { port } = await meshStage();
    const to = { servername: DB, ALPNProtocols };
    assert.equal(await heard(port, { ...to, ...caller("frontend") }), "rows");
    assert.equal(await heard(port, { ...to, ...caller("other") }), "");
    assert.equal(await heard(port, to), "");
  });

  test("is not reached by TLS of anybody else, nor by another name", async () => {
    const { port, gateway } = await meshStage();
    const to = { ...caller("frontend"), servername: DB };
    assert.equal(await heard(port, to), "");
    assert.equal(await heard(port, { ...to, ALPNProtocols: ["h2", "http/1.1"] }), "");
    assert.equal(await heard(port, { ...to, ALPNProtocols, servername: "db.production" }), "");
    assert.equal(await heard(port, { ...caller("frontend"), ALPNProtocols }), "");
    const entry = await gateway.entry(({ requested_server_name: name }) => name === DB);
    assert.equal(entry.response_flags, "NR");
  });

  test("is left when the gateway passes nothing on to it any more", async () => {
    const application = await ground.listening(
      createTlsServer({ cert: own.pem, key: own.keyPem }, (socket) => socket.write("row")),
    );
    const db = destination({ name: "db", port: portOf(application), protocol: "tcp" });
    const stage = await edgeStage(ground, [passing], { destinations: [db] });
    const open = { host: LOOPBACK, port: stage.port, rejectUnauthorized: false };
    const socket = connectTls({ ...open, servername: DB, ALPNProtocols });
    await once(socket, "data");
    stage.change((view) => ({ ...view, outbound: { ...view.outbound, destinations: [] } }));
    await once(socket, "close");
  });
});

const own = serverCertificate("the application's own");

test("CVE-2021-31921: what speaks TLS of its own, and has no sidecar, is not reached", async () => {
  const application = await ground.listening(
    createTlsServer({ cert: own.pem, key: own.keyPem }, (socket) => socket.end("secret")),
  );
  const bare = destination({
    name: "db",
    port: portOf(application),
    protocol: "tcp",
    mutualTls: false,
  });
  const stage = await edgeStage(ground, [passing], { destinations: [bare] });
  assert.equal(await heard(stage.port, { servername: DB, ALPNProtocols: ["istio"] }), "");
  const [endpoint] = destination({ name: "db", port: 1 }).endpoints;
  const mixed: Destination = {
    ...bare,
    endpoints: [...bare.endpoints, ...(endpoint ? [endpoint] : [])],
  };
  stage.change((view) => ({ ...view, outbound: { ...view.outbound, destinations: [mixed] } }));
  assert.equal(await heard(stage.port, { servername: DB, ALPNProtocols: ["istio"] }), "");
  const entry = await stage.gateway.entry(({ response_flags: flags }) => flags === "UF");
  assert.equal(entry.upstream_host, `${LOOPBACK}:1`);
  assert.equal(onlyEndpoint(mixed, 0.99)?.port, 1);
  assert.equal(onlyEndpoint(bare, 0), undefined);
});

test("nor is a host outside, whatever TLS the gateway would speak to it", () => {
  const call = { serverName: DB, offered: ["istio"] };
  const db = destination({ name: "db", port: 1 });
  assert.equal(passedThrough(call, [db]), db);
  assert.equal(passedThrough({ ...call, serverName: undefined }, [db]), undefined);
  const tlsOrigination = {
    mode: "SIMPLE",
    verification: "name",
    material: { from: "files" },
  } as const;
  assert.equal(passedThrough(call, [{ ...db, tlsOrigination }]), undefined);
});
