import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { type ConnectionOptions, connect, createServer, type TLSSocket } from "node:tls";
import { idOf, LOOPBACK, portOf } from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { clientContextOptions, serverContextOptions } from "./tls-context.ts";

const mesh = createThrowawayAuthority();
const trust = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [mesh.rootPem],
  minimumTlsVersion: "TLSv1.2",
} as const;
const server = createServer({
  ...serverContextOptions({ svid: mesh.svid(idOf("api")), trust }),
  requestCert: true,
});
const client = clientContextOptions({ svid: mesh.svid(idOf("web")), trust });
const sockets: TLSSocket[] = [];

before(async () => {
  server.on("secureConnection", (socket) => socket.on("error", () => socket.destroy()));
  server.listen(0, LOOPBACK);
  await once(server, "listening");
});
after(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

async function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  const at = { host: LOOPBACK, port: portOf(server) };
  const socket = connect({ ...at, rejectUnauthorized: false, ...client, ...options });
  sockets.push(socket);
  await once(socket, "secureConnect");
  return socket;
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const group of ["X25519", "P-256", "P-384"]) {
    test(`${version} agrees to ${group}`, async () => {
      // Until TLS 1.2, P-256 must also be there for the certificate's sake.
      const groups = new Set(version === "TLSv1.2" ? [group, "P-256"] : [group]);
      const socket = await handshake({
        ecdhCurve: [...groups].join(":"),
        maxVersion: version,
      });
      assert.equal(socket.getProtocol(), version);
    });
  }
}

for (const group of ["ffdhe2048", "ffdhe8192", "P-521"]) {
  test(`a stranger cannot make a handshake costly: ${group}`, async () => {
    await assert.rejects(handshake({ ecdhCurve: group, cert: "", key: "" }), /handshake failure/);
  });
}

test("TLS-10: nobody can ask for another handshake on the same connection", async () => {
  const socket = await handshake({ maxVersion: "TLSv1.2" });
  const problem = await new Promise<Error | null>((resolve) => {
    socket.on("error", resolve);
    socket.renegotiate({}, resolve);
  });
  assert.match(problem?.message ?? "it was granted", /no renegotiation/i);
});
