/** The application behind every proxy, and whom proxies ask: whoever hears the application has been let through. */
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { connect, createServer, type Socket } from "node:net";
import type { SocketAddress } from "../../src/policy/workload.ts";
import { type SampleAuthorizer, sampleAuthorizer } from "../kit/sample-authorizer.ts";
import { LOOPBACK, portOf } from "../kit/sidecar-fixture.ts";

/** What TCP callers say, and what they are answered. */
export const GREETING = "\u0001hello\r\n";
export const REPLY = "\u0001ok\r\n";
const HTTP2_BEGINS = "PRI ";

export interface Application {
  readonly address: SocketAddress;
  readonly authorizer: SampleAuthorizer;
  close(): void;
}

/** One port for all: what begins as neither version of HTTP is TCP, as on a port that finds out. */
export async function startApplication(): Promise<Application> {
  const http = createHttpServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume();
    response.writeHead(200, { "content-length": 2 });
    response.end("ok");
  });
  const http2 = createHttp2Server();
  http2.on("stream", (stream) => {
    stream.on("error", () => stream.destroy());
    stream.resume();
    stream.respond({ ":status": 200 });
    stream.end("ok");
  });
  await Promise.all([listening(http), listening(http2)]);
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (first) => {
      if (first.toString("latin1").startsWith(GREETING.slice(0, 1))) socket.end(REPLY);
      else {
        const isHttp2 = first.toString("latin1").startsWith(HTTP2_BEGINS);
        passOn(socket, first, portOf(isHttp2 ? http2 : http));
      }
    });
  });
  await listening(server);
  const authorizer = await sampleAuthorizer();
  return {
    address: { address: LOOPBACK, port: portOf(server) },
    authorizer,
    close: () => {
      void authorizer.close();
      for (const one of [server, http, http2]) one.close();
      http.closeAllConnections();
    },
  };
}

async function listening(server: ReturnType<typeof createServer>): Promise<void> {
  server.listen(0, LOOPBACK);
  await once(server, "listening");
}

function passOn(socket: Socket, first: Buffer, port: number): void {
  const inner = connect({ host: LOOPBACK, port, noDelay: true });
  inner.on("error", () => inner.destroy());
  inner.once("close", () => socket.destroy());
  socket.once("close", () => inner.destroy());
  inner.write(first);
  socket.pipe(inner).pipe(socket);
}
