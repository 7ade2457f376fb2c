import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createTcpServer, type Server } from "node:net";
import { after, test } from "node:test";
import { createSecureContext, createServer, type TLSSocket } from "node:tls";
import { idOf, LOOPBACK, portOf } from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { clientContextOptions, serverContextOptions } from "./tls-context.ts";
import { dialMutualTls, dialPlaintext } from "./upstream-dialer.ts";

const mesh = createThrowawayAuthority();
const trust = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [mesh.rootPem],
  minimumTlsVersion: "TLSv1.2",
} as const;
const [web, api] = [mesh.svid(idOf("web")), mesh.svid(idOf("api"))];
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function listen(server: Server): Promise<{ address: string; port: number }> {
  servers.push(server.listen(0, LOOPBACK));
  await once(server, "listening");
  return { address: LOOPBACK, port: portOf(server) };
}

test("a name that leads to where clouds tell secrets is not called, however it is written", async () => {
  // The machine's resolver reads numbers as the address that they are.
  for (const address of ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376"]) {
    await assert.rejects(dialPlaintext({ address, port: 80 }), (error: Error) => {
      assert.match(String(error.cause), /leads to 169\.254\.169\.254, where no name may lead/);
      return true;
    });
  }
});

const CHOICES: readonly {
  readonly offered: readonly string[];
  readonly supported: readonly string[] | undefined;
  readonly chosen: string | undefined;
}[] = [
  { offered: ["istio-h2", "istio", "h2"], supported: ["h2", "http/1.1"], chosen: "h2" },
  { offered: ["istio", "http/1.1"], supported: ["h2", "http/1.1"], chosen: "http/1.1" },
  { offered: ["istio", "http/1.1"], supported: undefined, chosen: undefined },
];

for (const { offered, supported, chosen } of CHOICES) {
  test(`of ${offered} a callee that knows ${supported} chooses ${chosen}`, async () => {
    const server = createServer({
      ...serverContextOptions({ svid: api, trust }),
      requestCert: true,
      ...(supported && { ALPNProtocols: [...supported] }),
    });
    server.on("secureConnection", (socket: TLSSocket) => socket.on("error", () => {}));
    const upstream = await dialMutualTls(await listen(server), {
      own: web,
      secureContext: createSecureContext(clientContextOptions({ svid: web, trust })),
      serverName: "api",
      applicationProtocols: offered,
      trust,
      identities: [api.id],
      problemOf: () => undefined,
    });
    assert.equal(upstream.applicationProtocol, chosen);
    assert.equal("applicationProtocol" in upstream, chosen !== undefined);
    assert.equal(upstream.mutualTls?.peer.id, api.id);
    upstream.socket.destroy();
  });
}

test("on plaintext nothing is chosen", async () => {
  const upstream = await dialPlaintext(await listen(createTcpServer((socket) => socket.end())));
  assert.equal(upstream.applicationProtocol, undefined);
  upstream.socket.destroy();
});
