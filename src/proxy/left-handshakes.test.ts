/** Whoever ends its side during the handshake has left; afterwards it only has nothing more to say. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { freePort } from "../../test/kit/free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";

const mesh = createThrowawayAuthority();
const own = mesh.svid(idOf("frontend"));
/** It answers once the client has ended, so that only a half-open connection carries what it says. */
const application = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  let heard = "";
  socket.on("data", (chunk) => {
    heard += chunk.toString();
  });
  socket.on("end", () => socket.end(`heard ${heard}`));
});
after(() => application.close());

async function startCallee(): Promise<{ sidecar: TestSidecar["sidecar"]; port: number }> {
  if (!application.listening) await once(application.listen(0, LOOPBACK), "listening");
  const port = await freePort();
  const ports = [
    inboundPort({
      listen: port,
      application: portOf(application),
      protocol: "tcp",
      mode: "STRICT",
    }),
  ];
  const view = workloadView({ name: "api", rootsPem: [mesh.rootPem], ports });
  const { sidecar } = await startTestSidecar({ view, svid: mesh.svid(idOf("api")) });
  return { sidecar, port };
}

function call(port: number): TLSSocket {
  return connectTls({
    socket: connect({ host: LOOPBACK, port, allowHalfOpen: true }),
    cert: own.certificateChainPem,
    key: own.privateKeyPem,
    ALPNProtocols: ["istio"],
    rejectUnauthorized: false,
  });
}

test("a client that leaves before the callee knows it holds up no drain", async () => {
  const { sidecar, port } = await startCallee();
  const client = call(port);
  // Ours is done; the certificate that it would show has not gone out yet.
  await once(client, "secureConnect");
  client.destroy();
  await once(client, "close");
  const begun = performance.now();
  await sidecar.close();
  const took = performance.now() - begun;
  assert.ok(took < 3_000, `it took ${took} ms`);
});

test("a client that ends its side right after the handshake hears the whole answer", async () => {
  const { sidecar, port } = await startCallee();
  const client = call(port);
  await once(client, "secureConnect");
  client.end("all of it");
  let answer = "";
  for await (const chunk of client) answer += String(chunk);
  assert.equal(answer, "heard all of it");
  await sidecar.close();
});
