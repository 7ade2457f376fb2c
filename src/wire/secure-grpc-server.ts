/**
 * One TLS port for callers with a certificate and callers with a token. The TLS server is ours, so that a client
 * certificate that does not verify is refused with a reason in the log, before gRPC sees a byte; certificate and
 * client roots are exchanged while it runs.
 */
import { constants, type X509Certificate } from "node:crypto";
import { createServer as createDoor, type Server as NetServer } from "node:net";
import { createServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import { type ConnectionInjector, Server, ServerCredentials } from "@grpc/grpc-js";
import "../runtime/first-peer-chain.ts";
import { ListenError } from "../runtime/listen-error.ts";
import type { Log } from "../runtime/log.ts";
import { TLS_GROUPS } from "../runtime/tls-groups.ts";
import type { Watched } from "../runtime/watched.ts";
import { callDeadlines } from "./call-deadlines.ts";
import { rememberClient } from "./client-certificates.ts";
import {
  ClientConnections,
  CONNECTION_LIMITS,
  type ConnectionLimits,
  groupOf,
  remoteOf,
} from "./client-connections.ts";
import { ConnectionRefusals } from "./connection-refusals.ts";
import type { GrpcService } from "./grpc-service.ts";
import { HandshakeTurns } from "./handshake-turns.ts";

/** What a stranger may send at once on one connection is bounded by messages and streams together. */
const MAX_STREAMS_PER_CONNECTION = { strangers: 8, verified: 32 };
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Handshakes that begin at once, and how long the next waits for one that does not end: a far client's takes longer. */
const HANDSHAKE_TURNS = 16;
const HANDSHAKE_TURN_MS = 50;
/** A connection without a call is closed after this. */
const IDLE_TIMEOUT_MS = 60_000;
const KEEPALIVE_TIME_MS = 15_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;
const MAX_SESSION_MEGABYTES = 16;
/** How long calls may go on once the server closes. */
const CLOSE_GRACE_MS = 250;

export interface ServerIdentity {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  /** Roots that client certificates must chain to. */
  readonly clientRootsPem: readonly string[];
}

type CallerKind = "strangers" | "verified";

export interface SecureGrpcServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly identity: Watched<ServerIdentity>;
  readonly services: readonly GrpcService[];
  /** Longest request message, in bytes: of callers without a client certificate that was verified, and of those with one. */
  readonly maxReceiveBytes: number | Readonly<Record<CallerKind, number>>;
  /** Says more, for the log, of a client certificate that does not verify than the error's code. */
  readonly explainRefusal?: (certificate: X509Certificate, error: string) => string;
  /** Constant but for tests. */
  readonly limits?: ConnectionLimits;
  readonly log: Log;
}

export interface SecureGrpcServer {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws ListenError */
export async function startSecureGrpcServer(
  options: SecureGrpcServerOptions,
): Promise<SecureGrpcServer> {
  const { identity, limits = CONNECTION_LIMITS, log } = options;
  const connections = new ClientConnections(limits, log);
  const refusals = new ConnectionRefusals(log);
  const ends = {
    strangers: openEnd(options, { kind: "strangers", connections }),
    verified: openEnd(options, { kind: "verified", connections }),
  };
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    {
      ...secureContext(identity.current),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNProtocols: ["h2"],
    },
    (socket) => {
      turns.over(remoteOf(socket));
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      admit(socket, { ...options, ends, connections, refusals });
    },
  );
  const turns = new HandshakeTurns({
    size: HANDSHAKE_TURNS,
    turnMs: HANDSHAKE_TURN_MS,
    begin: (socket) => server.emit("connection", socket),
  });
  const door = createDoor({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => socket.destroy()); // before its turn nobody else hears of it
    connections.arrived(socket);
    turns.arrived(socket, groupOf(socket.remoteAddress));
  });
  server.on("tlsClientError", (error, socket) => {
    turns.over(remoteOf(socket));
    refusals.handshakeFailed(remoteOf(socket), error.message);
    socket.destroy();
  });
  const stopWatching = identity.onChange((next) => server.setSecureContext(secureContext(next)));
  const port = await listen(door, options);
  door.on("error", (error) => log.error("listener failed", { error: error.message }));
  return {
    port,
    close: async () => {
      stopWatching();
      connections.close();
      const closed = new Promise<void>((resolve) => door.close(() => resolve()));
      turns.close();
      for (const { injector } of Object.values(ends)) injector.drain(CLOSE_GRACE_MS);
      const deadline = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_GRACE_MS);
      await closed;
      clearTimeout(deadline);
      for (const { grpc } of Object.values(ends)) grpc.forceShutdown();
    },
  };
}

/** gRPC, for callers of one kind. */
interface GrpcEnd {
  readonly grpc: Server;
  readonly injector: ConnectionInjector;
}

function openEnd(
  { services, maxReceiveBytes }: SecureGrpcServerOptions,
  { kind, connections }: { readonly kind: CallerKind; readonly connections: ClientConnections },
): GrpcEnd {
  const server = new Server({
    interceptors: [callDeadlines(connections)],
    "grpc.max_receive_message_length":
      typeof maxReceiveBytes === "number" ? maxReceiveBytes : maxReceiveBytes[kind],
    "grpc.max_concurrent_streams": MAX_STREAMS_PER_CONNECTION[kind],
    "grpc.max_connection_idle_ms": IDLE_TIMEOUT_MS,
    "grpc.keepalive_time_ms": KEEPALIVE_TIME_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
    "grpc-node.max_session_memory": MAX_SESSION_MEGABYTES,
    "grpc.enable_channelz": 0,
  });
  for (const service of services) service.register(server);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return { grpc: server, injector };
}

/** No tickets: a resumed session would not be verified again. */
function secureContext(identity: ServerIdentity): SecureContextOptions {
  return {
    cert: identity.certificateChainPem,
    key: identity.privateKeyPem,
    ca: [...identity.clientRootsPem],
    minVersion: "TLSv1.2",
    ecdhCurve: TLS_GROUPS,
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

interface Admission extends Pick<SecureGrpcServerOptions, "explainRefusal"> {
  readonly ends: Readonly<Record<CallerKind, GrpcEnd>>;
  readonly connections: ClientConnections;
  readonly refusals: ConnectionRefusals;
}

function admit(
  socket: TLSSocket,
  { ends, connections, refusals, explainRefusal }: Admission,
): void {
  const remote = remoteOf(socket);
  socket.on("error", (error) => refusals.connectionFailed(remote, error.message));
  const certificate = socket.getPeerX509Certificate();
  if (certificate !== undefined && !socket.authorized) {
    const error = String(socket.authorizationError);
    refusals.certificateRefused(remote, {
      reason: explainRefusal?.(certificate, error) ?? error,
      names: certificate.subjectAltName,
    });
    socket.destroy();
  } else if (socket.alpnProtocol !== "h2") {
    refusals.noHttp2(remote);
    socket.destroy();
  } else if (connections.welcome(socket, certificate) !== undefined) {
    if (certificate !== undefined) rememberClient(socket, certificate);
    ends[certificate === undefined ? "strangers" : "verified"].injector.injectConnection(socket);
  }
}

function listen(
  server: NetServer,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(new ListenError(`cannot listen on ${host}:${port}`, { cause }));
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      const address = server.address();
      if (address !== null && typeof address === "object") resolve(address.port);
      else reject(new ListenError(`cannot listen on ${host}:${port}`));
    });
  });
}
