/** gRPC on a Unix socket, without TLS: who may open the socket's file may call, and so few do that all are bounded. */
import { chmod, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { listenOwnerOnly } from "../runtime/owner-only-socket.ts";
import type { GrpcService } from "./grpc-service.ts";

/** Unless said otherwise. */
const MAX_SESSION_MEGABYTES = 4;
const MAX_METADATA_BYTES = 8_192;

export interface UnixGrpcServerOptions {
  /** Of the socket's file; one that an earlier run left is replaced. */
  readonly path: string;
  /** Who may connect, besides root. "group": that of the file's folder too, if it hands its group on. */
  readonly access: "owner" | "group";
  /** Asked of each connection before gRPC sees a byte of it. Absent: whoever may open the file is let in. */
  readonly admit?: ((socket: Socket) => Promise<"admitted" | "refused">) | undefined;
  readonly services: readonly GrpcService[];
  /** Longest request message, in bytes. */
  readonly maxReceiveBytes: number;
  readonly maxConnections: number;
  readonly maxStreamsPerConnection: number;
  /** Memory that HTTP/2 may take for one connection; what is under way on it counts. Absent: 4. */
  readonly maxSessionMegabytes?: number;
  readonly log: Log;
}

export interface UnixGrpcServer {
  /** Ends what is under way at once. */
  close(): Promise<void>;
}

/** @throws ListenError */
export async function startUnixGrpcServer(options: UnixGrpcServerOptions): Promise<UnixGrpcServer> {
  const { path, access, log, maxConnections, admit = admitAll } = options;
  const grpc = createGrpcServer(options);
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy()); // a client that broke off; gRPC hears of it too
    admit(socket).then(
      (verdict) => {
        if (verdict === "admitted" && !socket.destroyed) injector.injectConnection(socket);
        else socket.destroy();
      },
      (error: unknown) => {
        log.error("a connection could not be judged", { path, problem: describeError(error) });
        socket.destroy();
      },
    );
  });
  server.maxConnections = maxConnections;
  const dropped = new BoundedWarning(log, { message: "connection dropped: too many are open" });
  server.on("drop", () => dropped.warn({ path }));
  await listenOwnerOnly(server, path);
  if (access === "group") await chmod(path, 0o660);
  server.on("error", (error) => log.error("listener failed", { path, error: error.message }));
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      grpc.forceShutdown();
      await rm(path, { force: true });
    },
  };
}

const admitAll = (): Promise<"admitted"> => Promise.resolve("admitted");

function createGrpcServer({
  services,
  maxReceiveBytes,
  maxStreamsPerConnection,
  maxSessionMegabytes = MAX_SESSION_MEGABYTES,
}: UnixGrpcServerOptions): Server {
  const server = new Server({
    "grpc.max_receive_message_length": maxReceiveBytes,
    "grpc.max_concurrent_streams": maxStreamsPerConnection,
    "grpc.max_metadata_size": MAX_METADATA_BYTES,
    "grpc-node.max_session_memory": maxSessionMegabytes,
    "grpc.enable_channelz": 0,
  });
  for (const service of services) service.register(server);
  return server;
}
