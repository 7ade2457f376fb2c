/**
 * The Kubernetes API of a mesh on this machine: HTTPS on the loopback, for one user who has the token. What is asked of
 * it is served out of an `ObjectStore`.
 */

import { constants } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { createSecureContext } from "node:tls";
import { describeError } from "../../runtime/hauberk-error.ts";
import { ListenError } from "../../runtime/listen-error.ts";
import type { Log } from "../../runtime/log.ts";
import { TLS_GROUPS } from "../../runtime/tls-groups.ts";
import { isAuthorized } from "./access/access-token.ts";
import { refuseBrowsers } from "./access/refuse-browsers.ts";
import { secureConnections } from "./access/secure-connections.ts";
import type { ServingCertificate } from "./access/serving-certificate.ts";
import { StrangerConnections } from "./access/stranger-connections.ts";
import { collectDependents } from "./objects/collect-dependents.ts";
import { emptyNamespaces } from "./objects/empty-namespaces.ts";
import { mirrorEvents } from "./objects/mirror-events.ts";
import type { ObjectStore } from "./objects/object-store.ts";
import { noSuchPath, notFound } from "./objects/refusals.ts";
import { StatusError } from "./objects/status-error.ts";
import { decodeProtobufBody } from "./patches/bodies/protobuf-body.ts";
import { statusOf } from "./rest/api-answer.ts";
import type { ApiContext } from "./rest/api-context.ts";
import type { ApiRequest } from "./rest/api-request.ts";
import { readRequest, writeAnswer, writeRefusal } from "./rest/http-exchange.ts";
import { KindIndex } from "./rest/kind-index.ts";
import { OpenWatches } from "./rest/open-watches.ts";
import type { PodStreamRequest, PodStreams } from "./rest/pod-streams.ts";
import { resourceTarget } from "./rest/resource-target.ts";
import { serveRequest } from "./rest/serve-request.ts";
import type { IssueToken } from "./rest/token-request.ts";

/** Without the token. */
const MAX_STRANGERS = 64;
const MAX_HEADER_BYTES = 16_384;
/** For a handshake with the headers after it. */
const HEADERS_TIMEOUT_MS = 10_000;
/** For a whole request, with its body. */
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 90_000;
/** How often is looked for requests that take too long. */
const CHECK_MS = 5_000;

export interface ApiServerOptions {
  readonly store: ObjectStore;
  /** Of the loopback. */
  readonly address: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Unix socket to listen on instead: somebody else listens on that address and port, and passes on what comes. */
  readonly socketPath?: string | undefined;
  readonly certificate: ServingCertificate;
  /** Who has it may do everything. */
  readonly token: string;
  readonly log: Log;
  /** Absent: service accounts get no tokens here. */
  readonly issueToken?: IssueToken;
  /** Absent: pods have no logs, and nobody gets into them. */
  readonly streams?: PodStreams;
}

export interface ApiServer {
  readonly port: number;
  /** As kubeconfigs have it. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws ListenError */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, certificate, address, log, issueToken } = options;
  const context: ApiContext = {
    store,
    kinds: new KindIndex(store.kinds),
    readProtobuf: decodeProtobufBody,
    issueToken,
    watches: new OpenWatches(),
  };
  const strangers = new StrangerConnections(MAX_STRANGERS);
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CHECK_MS,
  });
  const secureContext = createSecureContext({
    cert: certificate.certificatePem,
    key: certificate.privateKeyPem,
    minVersion: "TLSv1.2",
    ecdhCurve: TLS_GROUPS,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION, // each costs a signature, and needs no token
  });
  secureConnections(server, secureContext, (socket, secured) => strangers.enter(socket, secured));
  const port = await listen(server, options);
  const reception = new Reception(context, { ...options, port, strangers });
  server.on("request", (message, response) => void reception.serve(message, response));
  server.on(
    "upgrade",
    (message, socket, head) => void reception.upgrade(message, { socket, head }),
  );
  server.on("error", (error) => log.error("listener failed", { error: error.message }));
  const stopCollecting = collectDependents(store);
  const stopEmptying = emptyNamespaces(store);
  const stopMirroring = mirrorEvents(store);
  return {
    port,
    url: `https://${address.includes(":") ? `[${address}]` : address}:${port}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      strangers.closeAll();
      await closed;
      stopCollecting();
      stopEmptying();
      stopMirroring();
    },
  };
}

async function listen(
  server: Server,
  { address, port, socketPath }: ApiServerOptions,
): Promise<number> {
  if (socketPath === undefined) server.listen(port, address);
  else server.listen(socketPath);
  try {
    await once(server, "listening");
  } catch (cause) {
    const told = describeError(cause);
    throw new ListenError(`the API server cannot listen on ${address} port ${port}: ${told}`, {
      cause,
    });
  }
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : port;
}

interface ReceptionOptions extends ApiServerOptions {
  /** The one that is listened on. */
  readonly port: number;
  readonly strangers: StrangerConnections;
}

/** Lets requests in, or not. */
class Reception {
  readonly #context: ApiContext;
  readonly #options: ReceptionOptions;

  constructor(context: ApiContext, options: ReceptionOptions) {
    this.#context = context;
    this.#options = options;
  }

  async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const request = this.#admit(message);
      const log = this.#podStream(request, "log");
      if (log === undefined)
        await writeAnswer(await serveRequest(this.#context, request), response);
      else await this.#streams().log(log, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else writeRefusal(this.#refusalOf(error), response);
    }
  }

  async upgrade(
    message: IncomingMessage,
    { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  ): Promise<void> {
    socket.on("error", () => socket.destroy());
    try {
      const request = this.#admit(message);
      const subresource = request.path.at(-1);
      if (subresource !== "exec" && subresource !== "portforward") throw noSuchPath();
      const stream = this.#podStream(request, subresource);
      if (stream === undefined) throw noSuchPath();
      await this.#streams().upgrade({ ...stream, subresource }, { message, socket, head });
    } catch (error) {
      const refusal = this.#refusalOf(error);
      const body = `${JSON.stringify(statusOf(refusal))}\n`;
      socket.end(
        `HTTP/1.1 ${refusal.status} ${refusal.reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
        () => socket.destroy(), // whatever the client still has to say
      );
    }
  }

  /** Whether the server is up may be asked by anybody on this machine. @throws StatusError 400, 401, 403 */
  #admit(message: IncomingMessage): ApiRequest {
    const { headers } = message;
    refuseBrowsers(headers, this.#options.port);
    const request = readRequest(message);
    const isReadiness = request.path.length === 1 && request.path[0] === "readyz";
    if (isReadiness && request.method === "GET") return request;
    if (!isAuthorized(headers.authorization, this.#options.token))
      throw new StatusError(401, "Unauthorized", { message: "Unauthorized" });
    this.#options.strangers.recognize(message.socket);
    return request;
  }

  /** @returns undefined for a request that is for something else @throws StatusError 404 */
  #podStream(request: ApiRequest, subresource: string): PodStreamRequest | undefined {
    if (request.path.at(-1) !== subresource) return undefined;
    const target = resourceTarget(this.#context.kinds, request.path);
    if (target?.subresource !== subresource || target.kind.plural !== "pods") return undefined;
    const { kind, namespace = "", name = "" } = target;
    const pod = this.#context.store.get({ kind, namespace, name });
    if (pod === undefined) throw notFound(kind, name);
    return { pod, query: request.query };
  }

  /** @throws StatusError 404 */
  #streams(): PodStreams {
    const { streams } = this.#options;
    if (streams === undefined) throw noSuchPath();
    return streams;
  }

  #refusalOf(error: unknown): StatusError {
    if (error instanceof StatusError) return error;
    this.#options.log.error("a request could not be served", { problem: describeError(error) });
    return new StatusError(500, "InternalError", {
      message: "Internal error occurred: see the log of the mesh",
    });
  }
}
