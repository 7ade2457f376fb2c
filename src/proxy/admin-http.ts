/** The server under both doors of a sidecar's administration. Whatever comes in, and however slowly, costs little. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type AdminPage, type AdminRequest, textPage } from "./admin-page.ts";

const MAX_HEADER_BYTES = 8_192;
const PATIENCE_MS = 10_000;
/** How often that patience is looked at. */
const LOOK_MS = 5_000;

export interface AdminHttpOptions {
  readonly answer: (request: AdminRequest) => AdminPage | Promise<AdminPage>;
  readonly maxConnections: number;
  readonly log: Log;
}

/** @returns a server that does not listen yet */
export function createAdminHttp(options: AdminHttpOptions): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: PATIENCE_MS,
    requestTimeout: PATIENCE_MS,
    connectionsCheckingInterval: LOOK_MS,
  };
  const server = createServer(limits, (request, response) => {
    serve({ request, response }, options).catch((error: unknown) => {
      options.log.error("admin request failed", { problem: describeError(error) });
      response.destroy();
    });
  });
  server.maxConnections = options.maxConnections;
  server.timeout = PATIENCE_MS; // whoever takes nothing of an answer
  return server;
}

/** Cuts what is under way. */
export function closeAdminHttp(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  { answer, log }: AdminHttpOptions,
): Promise<void> {
  const { method = "", url = "", headers } = request;
  const [path = "", query = ""] = url.split("?", 2);
  const page = hasBody(request)
    ? textPage(413, "no request here has a body\n")
    : await answer({
        method,
        path,
        parameters: new URLSearchParams(query),
        host: headers.host ?? "",
      });
  const { status, contentType, body, allow } = page;
  log.debug("admin request", { method, path, status });
  if (hasBody(request)) response.shouldKeepAlive = false; // nor is it read
  response
    .writeHead(status, {
      "content-type": contentType,
      "content-length": Buffer.byteLength(body),
      ...(allow === undefined ? {} : { allow }),
    })
    .end(body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  const { "content-length": length = "0", "transfer-encoding": coding } = headers;
  return coding !== undefined || Number(length) !== 0;
}
