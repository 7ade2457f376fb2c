/** A gateway with 200 hosts, each with a certificate of its own: Envoy asks its agent for each on a stream of its own. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import type { GatewayTls } from "../../src/policy/gateway-view.ts";
import { httpServer, ORIGIN, serverCertificate, tlsOf } from "../kit/edge-stage.ts";
import { startTestEnvoy, type TestEnvoy } from "../kit/envoy-pod.ts";
import { freePort } from "../kit/free-port.ts";
import { destination, idOf, LOOPBACK, portOf, workloadView } from "../kit/sidecar-fixture.ts";
import { sidecarGround } from "../kit/sidecar-ground.ts";

const HOSTS = 200;
const ground = sidecarGround();
const hosts = Array.from({ length: HOSTS }, (_, index) => `h${index}.example.com`);
let gateway: TestEnvoy;
let port: number;

before(async () => {
  port = await freePort();
  const web = portOf(await ground.listening(createServer((_, response) => response.end("here"))));
  const view = workloadView({
    name: "front",
    rootsPem: ground.rootsPem,
    destinations: [destination({ name: "web", port: web, mutualTls: false })],
  });
  const servers = hosts.map((host) =>
    httpServer(host, tlsOf("SIMPLE", undefined, ofOwnSecret(host))),
  );
  const listen = { address: LOOPBACK, port };
  gateway = await startTestEnvoy({
    view: {
      ...view,
      gateway: { listeners: [{ port: 443, containerPort: 8443, listen, servers }] },
    },
    svid: ground.mesh.svid(idOf("front")),
  });
});
after(() => gateway?.close());

test("each host shows its own", async () => {
  for (const host of hosts) assert.equal(await namesShown(host), `DNS:${host}`);
});

/** Envoy asks for certificates by the names of Secrets. */
function ofOwnSecret(host: string): Pick<GatewayTls, "certificates"> {
  const { pem: chainPem, keyPem } = serverCertificate(host);
  const ref = { kind: "Secret", namespace: "production", name: host };
  return { certificates: [{ origin: { ...ORIGIN, ref }, chainPem, keyPem }] };
}

async function namesShown(servername: string): Promise<string | undefined> {
  const socket = connect({ host: LOOPBACK, port, servername, rejectUnauthorized: false });
  try {
    return await new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("secureConnect", () => resolve(socket.getPeerCertificate().subjectaltname));
    });
  } finally {
    socket.destroy();
  }
}
