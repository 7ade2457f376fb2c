/** A gRPC client over TLS that trusts only the roots it is given, and reaches the server directly or not at all. */
import { createSecureContext } from "node:tls";
import type { DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import {
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
} from "@grpc/grpc-js";
import { grpcMethod } from "./grpc-service.ts";
import { grpcStatusError } from "./grpc-status.ts";

export interface GrpcClientOptions {
  /** `host:port` */
  readonly address: string;
  /** The DNS name the server's certificate must have, whatever the address is. */
  readonly serverName: string;
  readonly rootsPem: readonly string[];
  /** The client's own certificate; without it the server sees nobody. */
  readonly certificate?: { readonly chainPem: string; readonly privateKeyPem: string };
  /** Longest message accepted, in bytes. */
  readonly maxReceiveBytes: number;
}

export interface UnaryCallOptions {
  /** How long the whole call may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** One call with messages both ways, from the client's side. */
export interface ClientStream<I, O> {
  /** Ends when the server ends the call; throws `GrpcStatusError` when it does so with a status. */
  readonly responses: AsyncIterable<O>;
  send(message: I): void;
  cancel(): void;
}

/** A unary method whose messages are written and read by hand. */
export interface BytesMethod<I, O> {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly write: (message: I) => Uint8Array;
  readonly read: (bytes: Uint8Array) => O;
}

type UnaryMethod = DescMethod & { readonly methodKind: "unary" };
type ServerStreamingMethod = DescMethod & { readonly methodKind: "server_streaming" };
type BidirectionalMethod = DescMethod & { readonly methodKind: "bidi_streaming" };

interface UnaryCodec<I, O> {
  readonly path: string;
  readonly write: (message: I) => Buffer;
  readonly read: (bytes: Buffer) => O;
}

const CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.enable_http_proxy": 0,
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_channelz": 0,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
};

export class GrpcClient {
  readonly #client: Client;

  constructor(options: GrpcClientOptions) {
    const context = createSecureContext({
      ca: [...options.rootsPem],
      minVersion: "TLSv1.2",
      ...(options.certificate === undefined
        ? {}
        : { cert: options.certificate.chainPem, key: options.certificate.privateKeyPem }),
    });
    this.#client = new Client(options.address, credentials.createFromSecureContext(context), {
      ...CHANNEL_OPTIONS,
      "grpc.ssl_target_name_override": options.serverName,
      "grpc.default_authority": options.serverName,
      "grpc.max_receive_message_length": options.maxReceiveBytes,
    });
  }

  /** @throws GrpcStatusError */
  unary<M extends UnaryMethod>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options: UnaryCallOptions,
  ): Promise<MessageShape<M["output"]>> {
    const { path, requestSerialize, responseDeserialize } = grpcMethod(method);
    const codec = { path, write: requestSerialize, read: responseDeserialize };
    return this.#call(codec, request, options);
  }

  /** @throws GrpcStatusError */
  unaryBytes<I, O>(
    { path, write, read }: BytesMethod<I, O>,
    request: I,
    options: UnaryCallOptions,
  ): Promise<O> {
    return this.#call(
      { path, write: (message) => Buffer.from(write(message)), read },
      request,
      options,
    );
  }

  async #call<I, O>(
    { path, write, read }: UnaryCodec<I, O>,
    request: I,
    { timeoutMs, headers, signal }: UnaryCallOptions,
  ): Promise<O> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        write,
        read,
        request,
        metadataOf(headers),
        { deadline: Date.now() + timeoutMs },
        (error, response) => {
          signal?.removeEventListener("abort", cancel);
          if (error === null && response !== undefined) resolve(response);
          else reject(grpcStatusError(error ?? new Error("the answer is empty")));
        },
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener("abort", cancel);
      if (signal?.aborted === true) cancel();
    });
  }

  /** One request; the answers end when the server ends the call, or `signal` aborts. */
  answers<M extends ServerStreamingMethod>(
    method: M,
    request: MessageInitShape<M["input"]>,
    { headers, signal }: Pick<UnaryCallOptions, "headers" | "signal"> = {},
  ): AsyncIterable<MessageShape<M["output"]>> {
    const { path, requestSerialize, responseDeserialize } = grpcMethod(method);
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadataOf(headers),
    );
    call.on("error", () => undefined); // heard through the answers
    const cancel = (): void => call.cancel();
    signal?.addEventListener("abort", cancel);
    call.once("close", () => signal?.removeEventListener("abort", cancel));
    if (signal?.aborted === true) cancel();
    return responsesOf(call);
  }

  stream<M extends BidirectionalMethod>(
    method: M,
    headers?: Readonly<Record<string, string>>,
  ): ClientStream<MessageInitShape<M["input"]>, MessageShape<M["output"]>> {
    const { path, requestSerialize, responseDeserialize } = grpcMethod(method);
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadataOf(headers),
    );
    return clientStreamOf(call);
  }

  /** The same, of messages that nobody here looks into. @param path `/package.Service/Method` */
  streamBytes(
    path: string,
    headers?: Readonly<Record<string, string>>,
  ): ClientStream<Uint8Array, Uint8Array> {
    const call = this.#client.makeBidiStreamRequest(
      path,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer): Uint8Array => bytes,
      metadataOf(headers),
    );
    return clientStreamOf(call);
  }

  /**
   * Connects now, rather than with the first call.
   *
   * @throws GrpcStatusError where that takes longer
   */
  connect(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + timeoutMs, (error) => {
        if (error === undefined) resolve();
        else reject(grpcStatusError(error));
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

function clientStreamOf<I, O>(call: ClientDuplexStream<I, O>): ClientStream<I, O> {
  call.on("error", () => undefined); // heard through `responses`
  return {
    responses: responsesOf<O>(call),
    send: (message) => void call.write(message),
    cancel: () => call.cancel(),
  };
}

async function* responsesOf<O>(call: AsyncIterable<O>): AsyncGenerator<O> {
  try {
    for await (const response of call) yield response;
  } catch (caught) {
    throw grpcStatusError(caught);
  }
}

function metadataOf(headers: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}
