/** A client of the SPIFFE Workload API that can also leave out what the standard asks of it. */

import type { DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { SpiffeWorkloadAPI } from "../../src/wire/gen/spiffe/workload/workload_pb.ts";
import { grpcMethod } from "../../src/wire/grpc-service.ts";
import { grpcStatusError } from "../../src/wire/grpc-status.ts";

type Streamed = "fetchX509SVID" | "fetchX509Bundles" | "fetchJWTBundles";
type Asked = "fetchJWTSVID" | "validateJWTSVID";
type Methods = typeof SpiffeWorkloadAPI.method;
type Answer<M extends DescMethod> = MessageShape<M["output"]>;

export const SECURITY_HEADER = { "workload.spiffe.io": "true" };

export class WorkloadApiClient {
  readonly #client: Client;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(path: string, headers: Readonly<Record<string, string>> = SECURITY_HEADER) {
    this.#client = new Client(`unix:${path}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    this.#headers = headers;
  }

  ask<N extends Asked>(
    name: N,
    request: MessageInitShape<Methods[N]["input"]>,
  ): Promise<Answer<Methods[N]>> {
    const { path, requestSerialize, responseDeserialize } = grpcMethod<Methods[N]>(
      SpiffeWorkloadAPI.method[name],
    );
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata(),
        { deadline: Date.now() + 10_000 },
        (error, response) => {
          if (error === null && response !== undefined) resolve(response);
          else reject(grpcStatusError(error));
        },
      );
    });
  }

  /** Ends the stream when the reader breaks off. */
  async *follow<N extends Streamed>(name: N): AsyncGenerator<Answer<Methods[N]>> {
    const { path, requestSerialize, responseDeserialize } = grpcMethod<Methods[N]>(
      SpiffeWorkloadAPI.method[name],
    );
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      {} as MessageInitShape<Methods[N]["input"]>,
      this.#metadata(),
    );
    call.on("error", () => undefined); // thrown below
    try {
      for await (const answer of call) yield answer as Answer<Methods[N]>;
    } catch (error) {
      throw grpcStatusError(error);
    } finally {
      call.cancel();
    }
  }

  close(): void {
    this.#client.close();
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(this.#headers)) metadata.set(name, value);
    return metadata;
  }
}
