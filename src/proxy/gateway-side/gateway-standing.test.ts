/** What stands at a gateway while its configuration changes: nobody keeps reaching what was taken away. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import {
  clientAuthority,
  clientCertificate,
  type EdgeStage,
  edgeStage,
  httpServer,
  ORIGIN,
  routeTo,
  serverCertificate,
  tlsOf,
  trustIn,
  WEB,
} from "../../../test/kit/edge-stage.ts";
import { destination, LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../../test/kit/sidecar-ground.ts";
import type { GatewayServer, GatewayTls } from "../../policy/gateway-view.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";

const ground = sidecarGround();
const host = "db.example.com";
const certificate = serverCertificate(host);
const tls = tlsOf("SIMPLE", certificate);

/** Once it has got an answer to what it begins with. */
async function standing(port: number, begin: string): Promise<TLSSocket> {
  const socket = connectTls({ host: LOOPBACK, port, servername: host, rejectUnauthorized: false });
  socket.on("error", () => {});
  socket.write(begin);
  await once(socket, "data");
  return socket;
}

const hosted = (name: string) => ({ ...WEB, host: `${name}.production.svc.cluster.local` });

/** What changes, and whether those who are there stay. */
const changes: [
  what: string,
  change: (stage: EdgeStage, serverWith: (names: readonly string[]) => GatewayServer) => void,
  stays: boolean,
][] = [
  ["its route leads to others, too", (stage, of) => stage.serve([of(["web", "kept"])]), true],
  ["its route leads elsewhere", (stage, of) => stage.serve([of(["web"])]), false],
  ["its route is gone", (stage, of) => stage.serve([of([])]), false],
  ["its server is gone", (stage) => stage.serve([httpServer("*.other.example", tls)]), false],
  ["its port is gone", (stage) => stage.change(withoutPorts), false],
];

function withoutPorts(view: WorkloadView): WorkloadView {
  return { ...view, gateway: { listeners: [] } };
}

function streamTo(names: readonly string[]): GatewayServer {
  const routes = names.length === 0 ? [] : [{ origin: ORIGIN, destinations: names.map(hosted) }];
  return { origins: [ORIGIN], serverNames: [host], tls, traffic: { is: "stream", routes } };
}

function requestsTo(names: readonly string[]): GatewayServer {
  const routes = names.length === 0 ? [] : [routeTo({}, { destinations: names.map(hosted) })];
  return httpServer(host, tls, routes);
}

const UPGRADE = `GET /ws HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n\r\n`;
const SWITCHED =
  "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";

const kinds = [
  {
    name: "a stream",
    application: () => createTcpServer((socket) => socket.on("error", () => {}).pipe(socket)),
    server: streamTo,
    begin: "hello",
  },
  {
    name: "a WebSocket",
    application: () =>
      createServer().on("upgrade", (_, socket) => {
        socket.on("error", () => socket.destroy()).write(SWITCHED);
        socket.pipe(socket);
      }),
    server: requestsTo,
    begin: UPGRADE,
  },
] as const;

for (const { name, application, server, begin } of kinds) {
  for (const [what, change, stays] of changes) {
    test(`${name} ${stays ? "stays" : "ends"} when ${what}`, async () => {
      const kept = portOf(await ground.listening(application()));
      const stage = await edgeStage(ground, [server(["kept"])], {
        destinations: [
          destination({ name: "kept", port: kept, protocol: "tcp", mutualTls: false }),
        ],
      });
      const socket = await standing(stage.port, begin);
      change(stage, server);
      if (!stays) {
        await once(socket.resume(), "close");
        return;
      }
      socket.write("still there");
      const [echo] = await once(socket, "data");
      assert.equal(String(echo), "still there");
      socket.destroy();
    });
  }
}

test("a stream ends when the service that it goes to is none any more", async () => {
  const kept = portOf(await ground.listening(kinds[0].application()));
  const stage = await edgeStage(ground, [streamTo(["kept"])], {
    destinations: [destination({ name: "kept", port: kept, protocol: "tcp", mutualTls: false })],
  });
  const socket = await standing(stage.port, "hello");
  stage.change((view) => ({ ...view, outbound: { ...view.outbound, destinations: [] } }));
  await once(socket.resume(), "close");
});

const demands: [shows: string, before: GatewayTls, after: GatewayTls, why: string][] = [
  ["a certificate", mutual(), tlsOf("MUTUAL", undefined, { problem: "x" }), "nothing is known"],
  ["none", tls, tlsOf("MUTUAL", undefined, { problem: "x" }), "a certificate is demanded now"],
  ["a certificate", mutual(), tls, "certificates of clients are not looked at any more"],
];
for (const [shows, before, after, why] of demands) {
  test(`a client with ${shows} is cut off: ${why}`, async () => {
    const alice = clientCertificate("alice");
    const { port, serve, gateway } = await edgeStage(ground, [httpServer(host, before)]);
    const socket = connectTls({
      host: LOOPBACK,
      port,
      servername: host,
      rejectUnauthorized: false,
      ...(shows === "none" ? {} : { cert: alice.pem, key: alice.keyPem }),
    });
    socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    await once(socket, "data");
    serve([httpServer(host, after)]);
    await once(socket.resume(), "close");
    const { fields } = await gateway.line("HTTP connection ended by a change of trust");
    assert.ok(String(fields["problem"]).startsWith(why));
  });
}

function mutual(): GatewayTls {
  return tlsOf("MUTUAL", certificate, { clientTrust: trustIn(clientAuthority) });
}
