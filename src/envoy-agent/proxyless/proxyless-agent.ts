/**
 * What a gRPC program needs beside itself to be its own proxy ("proxyless"): its certificate as files, a bootstrap, and a
 * Unix socket by which its discovery is passed on as the pod that it belongs to. Istio's agent does the same.
 */
import { mkdir } from "node:fs/promises";
import type { ProxylessSettings } from "../../policy/sidecar-bootstrap.ts";
import { nodeIdOf } from "../../proxy/node-id.ts";
import { firstValue } from "../../runtime/first-value.ts";
import { startUnixGrpcServer } from "../../wire/unix-grpc-server.ts";
import { type ForwardedDiscoveryOptions, forwardedDiscovery } from "../forwarded-discovery.ts";
import { grpcBootstrap } from "./grpc-bootstrap.ts";
import { ProxylessFiles, type ProxylessFilesOptions } from "./proxyless-files.ts";

export interface ProxylessAgentOptions
  extends ForwardedDiscoveryOptions,
    Pick<ProxylessFilesOptions, "views"> {
  readonly settings: ProxylessSettings;
  readonly namespace: string;
  /** Pod name. */
  readonly name: string;
  readonly capture?: Parameters<typeof nodeIdOf>[0]["capture"];
}

export interface ProxylessAgent {
  close(): Promise<void>;
}

/** In the same folder as the files. */
export const GRPC_BOOTSTRAP_FILE = "grpc-bootstrap.json";

/** A program asks for few names at once. */
const MAX_RECEIVE_BYTES = 4 * 1024 * 1024;
const MAX_CONNECTIONS = 64;
const MAX_STREAMS_PER_CONNECTION = 16;

/**
 * Resolves when a program can be started.
 *
 * @throws ListenError where the socket cannot be opened
 */
export async function startProxylessAgent(options: ProxylessAgentOptions): Promise<ProxylessAgent> {
  const { settings, namespace, name, log } = options;
  const { folder, applicationFolder, applicationSocket } = settings;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await firstValue(options.svid);
  const { workload } = await firstValue(options.views);
  const files = new ProxylessFiles(options);
  await files.open();
  try {
    const bootstrap = grpcBootstrap({
      nodeId: nodeIdOf(options),
      namespace,
      name,
      owner: workload.owner,
      folder: applicationFolder,
      socket: applicationSocket,
    });
    await files.write(GRPC_BOOTSTRAP_FILE, JSON.stringify(bootstrap, undefined, 2));
    const server = await startUnixGrpcServer({
      path: settings.socket,
      access: settings.access,
      services: forwardedDiscovery(options),
      maxReceiveBytes: MAX_RECEIVE_BYTES,
      maxConnections: MAX_CONNECTIONS,
      maxStreamsPerConnection: MAX_STREAMS_PER_CONNECTION,
      log,
    });
    log.info("gRPC programs of the pod are served", { path: settings.applicationSocket });
    return {
      close: async () => {
        await server.close();
        await files.close();
      },
    };
  } catch (error) {
    await files.close();
    throw error;
  }
}
