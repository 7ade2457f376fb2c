import assert from "node:assert/strict";
import { once } from "node:events";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { Server, Socket } from "node:net";
import { after, test } from "node:test";
import { createSecureContext } from "node:tls";
import { ask } from "../../../test/kit/recorded-answer.ts";
import { idOf, LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { OFFERED_PROTOCOLS } from "../mesh-protocols.ts";
import { clientContextOptions, serverContextOptions } from "../tls-context.ts";
import { dialMutualTls } from "../upstream-dialer.ts";
import { ConnectionPools } from "./upstream-connections-pools.ts";

const mesh = createThrowawayAuthority();
const trust = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [mesh.rootPem],
  minimumTlsVersion: "TLSv1.2",
} as const;
const [web, api] = [mesh.svid(idOf("web")), mesh.svid(idOf("api"))];
const pools = new ConnectionPools({ idleMs: 60_000 });
const sockets = new Set<Socket>();
const servers: Server[] = [];
after(() => {
  pools.close();
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
});

const tls = { ...serverContextOptions({ svid: api, trust }), requestCert: true };
const BODY = Buffer.alloc(100_000, "t");

for (const { framing, server } of [
  {
    framing: "HTTP/1",
    server: createHttpsServer(tls, (request, response) => {
      response.setHeader("trailer", "x-end");
      request.pipe(response);
    }),
  },
  {
    framing: "HTTP/2",
    server: createSecureServer(tls).on("stream", (stream) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200 });
      stream.pipe(stream);
    }),
  },
] as const) {
  test(`${framing} over mutual TLS, as the callee chooses`, async () => {
    server.on("secureConnection", (socket: Socket) => sockets.add(socket));
    server.listen(0, LOOPBACK);
    servers.push(server);
    await once(server, "listening");
    const address = { address: LOOPBACK, port: portOf(server) };
    const pool = pools.connections(framing, {
      unnegotiated: "HTTP/1",
      dial: () =>
        dialMutualTls(address, {
          own: web,
          secureContext: createSecureContext(clientContextOptions({ svid: web, trust })),
          serverName: "api",
          applicationProtocols: OFFERED_PROTOCOLS[framing === "HTTP/1" ? "HTTP/1.1" : "HTTP/2"],
          trust,
          identities: [api.id],
          problemOf: () => undefined,
        }),
    });
    for (let round = 0; round < 2; round++) {
      const answers = Array.from({ length: 8 }, () =>
        ask(pool, { method: "POST" }, { body: [BODY] }),
      );
      for (const answer of answers) {
        const { body, calls, stream } = await answer.done;
        assert.match(calls[0] ?? "", new RegExp(`^head ${framing}[.1]* 200`));
        assert.equal(body.length, BODY.length);
        assert.equal(stream?.ends.mutualTls?.peer.id, api.id);
      }
    }
    assert.equal(sockets.size, framing === "HTTP/1" ? 8 : 1);
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  });
}
