/** A stream of texts by gRPC on a Unix socket: what stands between Envoy and the control plane looks into none of it. */
import { Client, type ClientDuplexStream, credentials, Metadata } from "@grpc/grpc-js";
import { grpcStatusError } from "../../src/wire/grpc-status.ts";

export class DiscoveryBytes {
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #responses: AsyncIterator<Buffer>;

  /** @param path of the socket @param method `/package.Service/Method` */
  constructor(path: string, method: string) {
    this.#client = new Client(`unix:${path}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    const pass = (bytes: Buffer): Buffer => bytes;
    this.#call = this.#client.makeBidiStreamRequest(method, pass, pass, new Metadata());
    this.#call.on("error", () => undefined); // heard through the responses
    this.#responses = this.#call[Symbol.asyncIterator]();
  }

  send(text: string): void {
    this.#call.write(Buffer.from(text));
  }

  /** Asks no more, and still hears. */
  finish(): void {
    this.#call.end();
  }

  /** The next response. @throws GrpcStatusError, or Error where the stream has ended well */
  async next(): Promise<string> {
    const { value, done } = await this.#responses.next().catch((error: unknown) => {
      throw grpcStatusError(error);
    });
    if (done === true) throw new Error("the stream has ended");
    return value.toString();
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }
}
