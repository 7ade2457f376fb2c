/** The control plane's metrics for a Prometheus on this machine; on loopback alone, since they are nobody else's business. */
import { createServer } from "node:http";
import { ConnectionRoom } from "../runtime/connection-room.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { ListenError } from "../runtime/listen-error.ts";
import type { Log } from "../runtime/log.ts";
import { isLoopbackName } from "../runtime/loopback-name.ts";

const HOST = "127.0.0.1";
/** Beyond it whoever came first gives way: an answer takes milliseconds. */
const MAX_CONNECTIONS = 16;
const MAX_HEADER_BYTES = 8_192;
const TIMEOUT_MS = 10_000;

export interface MetricsServerOptions {
  /** 0 for any free port. */
  readonly port: number;
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
  readonly log: Log;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws ListenError */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { metrics, contentType, log } = options;
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: TIMEOUT_MS };
  const server = createServer({ ...limits, headersTimeout: TIMEOUT_MS }, (request, response) => {
    request.resume();
    if (!isLoopbackName(request.headers.host ?? "")) {
      response.writeHead(421).end("ask under a loopback name\n");
      return;
    }
    if (request.url !== "/metrics" || request.method !== "GET") {
      response.writeHead(404).end();
      return;
    }
    metrics().then(
      (text) => response.writeHead(200, { "content-type": contentType }).end(text),
      (error: unknown) => {
        log.error("the metrics were not told", { problem: describeError(error) });
        response.writeHead(500).end();
      },
    );
  });
  const room = new ConnectionRoom({ size: MAX_CONNECTIONS });
  server.prependListener("connection", (socket) => void room.enter(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new ListenError(`cannot serve metrics on ${HOST}:${options.port}`, { cause })),
    );
    server.listen(options.port, HOST, resolve);
  });
  server.on("error", (error) => log.error("the metrics server failed", { error: error.message }));
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : options.port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
