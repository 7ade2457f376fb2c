/** A proxy that speaks incremental discovery by hand. */
import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CONTROL_PLANE_NAME } from "../../src/identity/certificate-client.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from "../../src/wire/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { type ClientStream, GrpcClient } from "../../src/wire/grpc-client.ts";
import { GrpcStatusError, type GrpcStatusName } from "../../src/wire/grpc-status.ts";

const DELTA = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
const TYPES = {
  clusters: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  endpoints: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  listeners: "type.googleapis.com/envoy.config.listener.v3.Listener",
  routes: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  authorization: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
} as const;

type Told =
  | "resourceNamesSubscribe"
  | "resourceNamesUnsubscribe"
  | "initialResourceVersions"
  | "responseNonce";

export type DiscoveryType = keyof typeof TYPES;

export class DiscoveryProxy {
  readonly #client: GrpcClient;
  readonly #stream: ClientStream<Uint8Array, Uint8Array>;
  readonly #responses: AsyncIterator<Uint8Array>;
  readonly #id: string;
  #isFirst = true;

  constructor(options: {
    readonly port: number;
    readonly rootPem: string;
    readonly svid?: X509Svid;
    /** `namespace/pod` it says it is. */
    readonly pod: string;
  }) {
    const { svid } = options;
    const [namespace, name] = options.pod.split("/");
    this.#id = `sidecar~10.0.0.1~${name}.${namespace}~${namespace}.svc.cluster.local`;
    this.#client = new GrpcClient({
      address: `127.0.0.1:${options.port}`,
      serverName: CONTROL_PLANE_NAME,
      rootsPem: [options.rootPem],
      maxReceiveBytes: 64 * 1024 * 1024,
      ...(svid && {
        certificate: { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem },
      }),
    });
    this.#stream = this.#client.streamBytes(DELTA);
    this.#responses = this.#stream.responses[Symbol.asyncIterator]();
  }

  send(
    type: DiscoveryType,
    request: Partial<Pick<DeltaDiscoveryRequest, Told>> & {
      readonly errorDetail?: { readonly message: string };
      readonly node?: { readonly id: string; readonly metadata?: Readonly<Record<string, string>> };
    } = {},
  ): this {
    const node = this.#isFirst ? { node: { id: this.#id } } : {};
    this.#isFirst = false;
    const message = create(DeltaDiscoveryRequestSchema, {
      typeUrl: TYPES[type],
      ...node,
      ...request,
    });
    this.#stream.send(toBinary(DeltaDiscoveryRequestSchema, message));
    return this;
  }

  /** Waits for the next response, of whichever type. */
  async next(): Promise<DeltaDiscoveryResponse & { readonly names: readonly string[] }> {
    const { done, value } = await this.#responses.next();
    assert.ok(done !== true, "the stream ended");
    const response = fromBinary(DeltaDiscoveryResponseSchema, value);
    return { ...response, names: response.resources.map(({ name }) => name) };
  }

  /** The next response, which must be of that type, and is taken over. */
  async take(
    type: DiscoveryType,
  ): Promise<DeltaDiscoveryResponse & { readonly names: readonly string[] }> {
    const response = await this.next();
    assert.equal(response.typeUrl, TYPES[type]);
    this.send(type, { responseNonce: response.nonce });
    return response;
  }

  async assertEndsWith(expected: GrpcStatusName): Promise<void> {
    await assert.rejects(this.next(), (error) => {
      assert.ok(error instanceof GrpcStatusError, String(error));
      assert.equal(error.status, expected, error.message);
      return true;
    });
    this.close();
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}
