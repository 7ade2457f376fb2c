/**
 * Envoy's aggregated discovery service as streams of bytes: what they mean is read by what is loaded only once a proxy comes.
 * Source: envoy/service/discovery/v3/ads.proto
 */
import type { handleBidiStreamingCall, MethodDefinition } from "@grpc/grpc-js";
import type { Log } from "../../runtime/log.ts";
import { bidirectional, type GrpcService, type ServerStream } from "../grpc-service.ts";

const SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService";

export type DiscoveryBytesStream = ServerStream<Uint8Array, Uint8Array>;

export interface DiscoveryHandlers {
  readonly delta: (stream: DiscoveryBytesStream) => Promise<void>;
  readonly stateOfTheWorld: (stream: DiscoveryBytesStream) => Promise<void>;
}

export function aggregatedDiscovery(handlers: DiscoveryHandlers, log: Log): GrpcService {
  const implementation: Record<string, handleBidiStreamingCall<Uint8Array, Uint8Array>> = {
    deltaAggregatedResources: bidirectional(handlers.delta, log),
    streamAggregatedResources: bidirectional(handlers.stateOfTheWorld, log),
  };
  const definition = {
    deltaAggregatedResources: streamOfBytes("DeltaAggregatedResources"),
    streamAggregatedResources: streamOfBytes("StreamAggregatedResources"),
  };
  return { register: (server) => server.addService(definition, implementation) };
}

function streamOfBytes(method: string): MethodDefinition<Uint8Array, Uint8Array> {
  const pass = (bytes: Uint8Array): Buffer =>
    Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    path: `/${SERVICE}/${method}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: pass,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: pass,
    responseDeserialize: (bytes) => bytes,
  };
}
