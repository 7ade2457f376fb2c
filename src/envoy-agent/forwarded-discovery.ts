/**
 * Passes the discovery of an Envoy, or of a gRPC program, on to the control plane, as the workload that it belongs to: Envoy
 * itself holds no token, and its key it gets from the agent alone. Nothing of it is looked into; what comes packed is unpacked.
 */
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { bytesOf, streamPath, streamService } from "../wire/byte-streams.ts";
import { PACKING, PACKING_HEADER, unpackedMessage } from "../wire/envoy/packed-messages.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import type { GrpcService, ServerStream } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";

const SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService";
const METHODS = ["DeltaAggregatedResources", "StreamAggregatedResources"];
/** All clusters of a large mesh in one response. */
const MAX_RECEIVE_BYTES = 64 * 1024 * 1024;

export interface ForwardedDiscoveryOptions {
  /** `host:port` */
  readonly controlPlane: string;
  readonly serverName?: string;
  /** With which each stream is opened; a new one ends it, and Envoy comes back with what it has. */
  readonly svid: Watched<X509Svid | undefined>;
  /** PEM of the roots that the control plane's certificate must chain to, as known when a stream starts. */
  readonly rootsPem: () => readonly string[];
  /** Hears of a certificate that the control plane does not take. */
  readonly onRefused?: (svid: X509Svid) => void;
  readonly log: Log;
}

type BytesStream = ServerStream<Uint8Array, Uint8Array>;

export function forwardedDiscovery(options: ForwardedDiscoveryOptions): readonly GrpcService[] {
  return METHODS.map((method) => {
    const codec = bytesOf(SERVICE, method);
    return streamService(
      codec,
      (stream) => forward(stream, { ...options, path: streamPath(codec) }),
      options.log,
    );
  });
}

/** @throws GrpcStatusError as the control plane ends the stream, or where it cannot be reached */
async function forward(
  envoy: BytesStream,
  options: ForwardedDiscoveryOptions & { readonly path: string },
): Promise<void> {
  const { svid, log, path } = options;
  const own = svid.current;
  if (own === undefined) throw new GrpcStatusError("UNAVAILABLE", "there is no certificate yet");
  const client = clientOf(own, options);
  const upstream = client.streamBytes(path, { [PACKING_HEADER]: PACKING });
  const unwatch = svid.onChange(upstream.cancel);
  envoy.signal.addEventListener("abort", upstream.cancel);
  log.info("discovery is passed on", { serial: own.serialNumber });
  let isOver = false;
  const leave = (): void => {
    isOver = true;
    upstream.cancel();
  };
  // Whoever asks no more wants no answers: gRPC programs end their streams so, Envoy breaks off.
  passOn(envoy.requests, upstream.send).then(leave, leave);
  try {
    await passOn(upstream.responses, (message) =>
      envoy.send(unpackedMessage(message, MAX_RECEIVE_BYTES)),
    );
  } catch (error) {
    if (isOver) return;
    if (svid.current !== own) return; // Envoy comes back at once, and the next stream shows the new certificate
    throw answerTo(error, { own, ...options });
  } finally {
    unwatch();
    envoy.signal.removeEventListener("abort", upstream.cancel);
    upstream.cancel();
    client.close();
  }
  throw new GrpcStatusError("UNAVAILABLE", "the control plane ended the stream");
}

function clientOf(
  { certificateChainPem: chainPem, privateKeyPem }: X509Svid,
  { controlPlane, serverName = CONTROL_PLANE_NAME, rootsPem }: ForwardedDiscoveryOptions,
): GrpcClient {
  return new GrpcClient({
    address: controlPlane,
    serverName,
    rootsPem: rootsPem(),
    certificate: { chainPem, privateKeyPem },
    maxReceiveBytes: MAX_RECEIVE_BYTES,
  });
}

async function passOn(
  from: AsyncIterable<Uint8Array>,
  send: (message: Uint8Array) => void,
): Promise<void> {
  for await (const message of from) send(message);
}

function answerTo(
  error: unknown,
  { own, log, onRefused }: ForwardedDiscoveryOptions & { readonly own: X509Svid },
): GrpcStatusError {
  log.warn("discovery ended", { error: describeError(error) });
  if (!(error instanceof GrpcStatusError))
    return new GrpcStatusError("UNAVAILABLE", "the control plane cannot be reached");
  if (error.status === "UNAUTHENTICATED") onRefused?.(own);
  return error;
}
