/** Services whose streams are read and written by hand, or passed on as they are. */
import type { MethodDefinition } from "@grpc/grpc-js";
import type { Log } from "../runtime/log.ts";
import { bidirectional, type GrpcService, type ServerStream } from "./grpc-service.ts";

/** One method with messages both ways. */
export interface StreamCodec<I, O> {
  /** `package.Service` */
  readonly service: string;
  readonly method: string;
  /** @throws Error for what is no such message: it ends the call */
  readonly read: (bytes: Uint8Array) => I;
  readonly write: (message: O) => Uint8Array;
}

/** Nothing is looked into. */
export function bytesOf(service: string, method: string): StreamCodec<Uint8Array, Uint8Array> {
  return { service, method, read: (bytes) => bytes, write: (bytes) => bytes };
}

export function streamPath({
  service,
  method,
}: Pick<StreamCodec<never, never>, "service" | "method">): string {
  return `/${service}/${method}`;
}

/** A service of one method; several of the same service may be registered on one server. */
export function streamService<I, O>(
  codec: StreamCodec<I, O>,
  serve: (stream: ServerStream<I, O>) => Promise<void>,
  log: Log,
): GrpcService {
  const definition: MethodDefinition<I, O> = {
    path: streamPath(codec),
    requestStream: true,
    responseStream: true,
    requestSerialize: () => Buffer.alloc(0), // a server sends no requests
    requestDeserialize: (bytes) => codec.read(bytes),
    responseSerialize: (message) => Buffer.from(codec.write(message)),
    responseDeserialize: () => {
      throw new Error("a server reads no responses");
    },
  };
  return {
    register: (server) =>
      server.addService(
        { [codec.method]: definition },
        { [codec.method]: bidirectional(serve, log) },
      ),
  };
}
