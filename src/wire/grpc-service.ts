/** The bridge between protobuf-es and grpc-js: a generated service becomes something a server can serve. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { DescMethod, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
} from "@grpc/grpc-js";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { clientCertificate } from "./client-certificates.ts";
import { GrpcStatusError, statusOfError } from "./grpc-status.ts";

type In<M extends DescMethod> = MessageShape<M["input"]>;
type Out<M extends DescMethod> = MessageInitShape<M["output"]>;

/** Who calls, as far as the transport knows. */
export interface Caller {
  /** `address:port` */
  readonly remoteAddress: string;
  /** The client certificate, those above it as its `issuerCertificate`; present only when its chain was verified. */
  readonly certificate?: X509Certificate;
  /** @returns every value of that header; names are lower case */
  headers(name: string): readonly string[];
}

/** One call with messages both ways. */
export interface ServerStream<I, O> {
  readonly caller: Caller;
  readonly requests: AsyncIterable<I>;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** Not held back by a slow client: send no more before it has answered. */
  send(message: O): void;
  /** Resolves when all that was sent has left for the client, which takes it at its own pace; never if the client is gone. */
  flushed(): Promise<void>;
}

/** One request, many answers. */
export interface AnswerStream<I, O> {
  readonly request: I;
  readonly caller: Caller;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** Resolves when the client can take more, or is gone. */
  send(message: O): Promise<void>;
}

/** What grpc-js needs to know of one method; the serializers also take plain init objects. */
export interface GrpcMethod<M extends DescMethod>
  extends MethodDefinition<In<M>, MessageShape<M["output"]>> {
  requestSerialize: (value: MessageInitShape<M["input"]>) => Buffer;
  responseSerialize: (value: Out<M>) => Buffer;
}

/** What a server of the service has to implement; made with `unary`, `serverStreaming` and `bidirectional`. */
export type GrpcHandlers<S extends DescService> = {
  readonly [K in keyof S["method"]]: GrpcHandler<S["method"][K]>;
};
type GrpcHandler<M extends DescMethod> = {
  unary: handleUnaryCall<In<M>, Out<M>>;
  server_streaming: handleServerStreamingCall<In<M>, Out<M>>;
  client_streaming: handleClientStreamingCall<In<M>, Out<M>>;
  bidi_streaming: handleBidiStreamingCall<In<M>, Out<M>>;
}[M["methodKind"]];

/** A service with its implementation, ready to be put on a server. */
export interface GrpcService {
  register(server: Server): void;
}

export function grpcService<S extends DescService>(
  service: S,
  handlers: GrpcHandlers<S>,
): GrpcService {
  const definition = Object.fromEntries(
    Object.entries(service.method).map(([name, method]) => [name, grpcMethod(method)]),
  );
  return { register: (server) => server.addService(definition, { ...handlers }) };
}

/** The grpc-js method definition of one protobuf-es method. */
export function grpcMethod<M extends DescMethod>(method: M): GrpcMethod<M> {
  const encode =
    (schema: DescMethod["input"]) =>
    (value: MessageInitShape<typeof schema>): Buffer =>
      Buffer.from(toBinary(schema, create(schema, value)));
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream:
      method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream:
      method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: encode(method.input),
    requestDeserialize: (bytes) => fromBinary<M["input"]>(method.input, bytes),
    responseSerialize: encode(method.output),
    responseDeserialize: (bytes) => fromBinary<M["output"]>(method.output, bytes),
  };
}

/** One request, one answer. A `GrpcStatusError` thrown is the answer; anything else is a defect, logged. */
export function unary<I, O>(
  answer: (request: I, caller: Caller) => Promise<O>,
  log: Log,
): handleUnaryCall<I, O> {
  return (call, respond) => {
    answer(call.request, callerOf(call)).then(
      (message) => respond(null, message),
      (error: unknown) => {
        logDefect(error, log);
        respond(statusOfError(error));
      },
    );
  };
}

/** One request, and answers until `serve` returns or throws. */
export function serverStreaming<I, O>(
  serve: (stream: AnswerStream<I, O>) => Promise<void>,
  log: Log,
): handleServerStreamingCall<I, O> {
  return (call) => {
    const gone = new AbortController();
    call.on("cancelled", () => gone.abort());
    const { signal } = gone;
    const send = async (message: O): Promise<void> => {
      if (signal.aborted || call.write(message)) return;
      // Rejects only for a client that has gone, which `serve` sees by its signal.
      await once(call, "drain", { signal }).catch(() => undefined);
    };
    serve({ request: call.request, caller: callerOf(call), signal, send }).then(
      () => call.end(),
      (error: unknown) => {
        if (signal.aborted) return;
        logDefect(error, log);
        call.emit("error", statusOfError(error));
      },
    );
  };
}

/** Messages both ways, until `serve` returns or throws. */
export function bidirectional<I, O>(
  serve: (stream: ServerStream<I, O>) => Promise<void>,
  log: Log,
): handleBidiStreamingCall<I, O> {
  return (call) => {
    const gone = new AbortController();
    call.on("cancelled", () => gone.abort());
    let flushed = Promise.resolve();
    const stream: ServerStream<I, O> = {
      caller: callerOf(call),
      requests: requestsOf(call, gone.signal),
      signal: gone.signal,
      send: (message) => {
        if (gone.signal.aborted) return;
        flushed = new Promise((resolve) => {
          call.write(message, () => resolve());
        });
      },
      flushed: () => flushed,
    };
    serve(stream).then(
      () => call.end(),
      (error: unknown) => {
        if (gone.signal.aborted) return;
        logDefect(error, log);
        call.emit("error", statusOfError(error));
      },
    );
  };
}

/** Ends quietly when the client leaves: that is no error of ours. */
async function* requestsOf<I, O>(
  call: ServerDuplexStream<I, O>,
  gone: AbortSignal,
): AsyncGenerator<I> {
  try {
    for await (const request of call.iterator({ destroyOnReturn: false })) yield request;
  } catch (error) {
    if (!gone.aborted) throw error;
  }
}

function callerOf<I, O>(
  call: ServerUnaryCall<I, O> | ServerWritableStream<I, O> | ServerDuplexStream<I, O>,
): Caller {
  const raw = call.getAuthContext().sslPeerCertificate?.raw;
  const remoteAddress = call.getPeer();
  const certificate = raw && (clientCertificate(remoteAddress, raw) ?? new X509Certificate(raw));
  return {
    remoteAddress,
    ...(certificate && { certificate }),
    headers: (name) => call.metadata.get(name).map((value) => value.toString()),
  };
}

function logDefect(error: unknown, log: Log): void {
  if (error instanceof GrpcStatusError) return;
  log.error("a call failed inside the server", { error: describeError(error) });
}
