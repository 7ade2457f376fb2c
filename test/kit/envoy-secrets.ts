/** Envoy's end of a secret discovery stream (state of the world), with messages of its own proto files. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, Metadata } from "@grpc/grpc-js";
import { SecretSchema } from "../../src/wire/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import {
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "../../src/wire/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { grpcStatusError } from "../../src/wire/grpc-status.ts";

const PATH = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets";
const TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

export type ReceivedSecret =
  | { readonly name: string; readonly chainPem: string; readonly privateKeyPem: string }
  | { readonly name: string; readonly rootsPem: string; readonly crlsPem: string };

export interface ReceivedSecrets {
  readonly version: string;
  readonly nonce: string;
  readonly secrets: readonly ReceivedSecret[];
}

export class EnvoySecrets {
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #responses: AsyncIterator<Buffer>;
  readonly #names: readonly string[];
  #last: ReceivedSecrets = { version: "", nonce: "", secrets: [] };
  /** Taken over last. */
  #version = "";

  constructor(path: string, names: readonly string[]) {
    this.#names = names;
    this.#client = new Client(`unix:${path}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    const pass = (bytes: Buffer): Buffer => bytes;
    this.#call = this.#client.makeBidiStreamRequest(PATH, pass, pass, new Metadata());
    this.#call.on("error", () => undefined); // heard through the responses
    this.#responses = this.#call[Symbol.asyncIterator]();
    this.#send("");
  }

  /** The next response. @throws GrpcStatusError */
  async next(): Promise<ReceivedSecrets> {
    try {
      const { value, done } = await this.#responses.next();
      if (done === true) throw new Error("the stream has ended");
      this.#last = received(fromBinary(DiscoveryResponseSchema, value));
      return this.#last;
    } catch (error) {
      throw grpcStatusError(error);
    }
  }

  acknowledge(): void {
    this.#version = this.#last.version;
    this.#send(this.#last.nonce);
  }

  /** As Envoy answers what it has received. */
  answer({ nonce, version }: Pick<ReceivedSecrets, "nonce" | "version">): void {
    this.#version = version;
    this.#send(nonce);
  }

  refuse(message: string): void {
    this.#send(this.#last.nonce, message);
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }

  #send(responseNonce: string, refusal?: string): void {
    const request = create(DiscoveryRequestSchema, {
      versionInfo: this.#version,
      node: { id: "sidecar~127.0.0.1~api-0.production~production.svc.cluster.local" },
      resourceNames: [...this.#names],
      typeUrl: TYPE,
      responseNonce,
      ...(refusal !== undefined && { errorDetail: { code: 13, message: refusal } }),
    });
    this.#call.write(Buffer.from(toBinary(DiscoveryRequestSchema, request)));
  }
}

function received({ versionInfo, nonce, resources, typeUrl }: DiscoveryResponse): ReceivedSecrets {
  if (typeUrl !== TYPE || resources.some((one) => one.typeUrl !== TYPE))
    throw new Error(`a response of ${typeUrl}`);
  return { version: versionInfo, nonce, secrets: resources.map(({ value }) => secretOf(value)) };
}

function secretOf(bytes: Uint8Array): ReceivedSecret {
  const { name, type } = fromBinary(SecretSchema, bytes);
  if (type.case === "tlsCertificate") {
    const { certificateChain, privateKey } = type.value;
    return { name, chainPem: pemOf(certificateChain), privateKeyPem: pemOf(privateKey) };
  }
  if (type.case !== "validationContext") throw new Error(`a secret of kind ${type.case}`);
  const { trustedCa, crl } = type.value;
  return { name, rootsPem: pemOf(trustedCa), crlsPem: pemOf(crl) };
}

function pemOf(source: { readonly specifier: { readonly value?: unknown } } | undefined): string {
  const value = source?.specifier.value;
  return value instanceof Uint8Array ? Buffer.from(value).toString("utf8") : "";
}
