/** What a sidecar's own calls go by, without a sidecar: real sockets, a view of these destinations. */

import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import type { IncomingHttpHeaders } from "node:http2";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import type { Server, Socket } from "node:net";
import type { TestContext } from "node:test";
import type { Destination } from "../../src/policy/workload-view.ts";
import { compileView } from "../../src/proxy/compiled-view.ts";
import { DestinationBalancers } from "../../src/proxy/destination-balancers.ts";
import { ConnectionPools } from "../../src/proxy/http/upstream-connections-pools.ts";
import { OutboundTargets } from "../../src/proxy/outbound-targets.ts";
import { type ServiceCaller, serviceCaller } from "../../src/proxy/own-calls/service-caller.ts";
import { KnownTokens } from "../../src/proxy/token-authentication.ts";
import { connectDirectly } from "../../src/proxy/upstream-dialer.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { WatchedValue } from "../../src/runtime/watched.ts";
import { idOf, LOOPBACK, portOf, workloadView } from "./sidecar-fixture.ts";
import { createThrowawayAuthority } from "./throwaway-authority.ts";

const mesh = createThrowawayAuthority();

export function ownCalls(
  context: Pick<TestContext, "after">,
  destinations: readonly Destination[],
): ServiceCaller {
  const view = workloadView({ rootsPem: [mesh.rootPem], destinations });
  const balancers = new DestinationBalancers({ chance: () => 0, log: silentLog });
  balancers.apply(destinations);
  const pools = new ConnectionPools({ idleMs: 5_000 });
  const svid = mesh.svid(idOf("api"));
  const credentials = { svid, trust: view.trust };
  const parts = { connect: connectDirectly, clock: systemClock, balancers, log: silentLog };
  const targets = new OutboundTargets(pools, { ...credentials, ...parts });
  context.after(() => {
    pools.close();
    balancers.close();
  });
  const compiled = new WatchedValue(compileView(view, new KnownTokens()));
  return serviceCaller({ compiled, targets, balancers });
}

/** Speaks HTTP/1. @param port 0: any */
export function serveHttp1(
  context: Pick<TestContext, "after">,
  listener: RequestListener,
  port = 0,
): Promise<number> {
  return listening(context, createHttpServer(listener), port);
}

/** Speaks HTTP/2 without TLS. @param port 0: any */
export function serveHttp2(
  context: Pick<TestContext, "after">,
  listener: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  port = 0,
): Promise<number> {
  const server = createHttp2Server();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    listener(stream, headers);
  });
  server.on("sessionError", () => {});
  return listening(context, server, port);
}

async function listening(
  context: Pick<TestContext, "after">,
  server: Server,
  port: number,
): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(port, LOOPBACK), "listening");
  return portOf(server);
}
