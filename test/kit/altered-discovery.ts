/** Between an Envoy's agent and a control plane: passes incremental discovery on, and does to it what a test wants. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CONTROL_PLANE_NAME } from "../../src/identity/certificate-client.ts";
import type { Log } from "../../src/runtime/log.ts";
import { WatchedValue } from "../../src/runtime/watched.ts";
import { bytesOf, streamPath, streamService } from "../../src/wire/byte-streams.ts";
import { TypedExtensionConfigSchema } from "../../src/wire/gen/envoy/config/core/v3/extension_pb.ts";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from "../../src/wire/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { type ClientStream, GrpcClient } from "../../src/wire/grpc-client.ts";
import type { ServerStream } from "../../src/wire/grpc-service.ts";
import { GrpcStatusError } from "../../src/wire/grpc-status.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../../src/wire/secure-grpc-server.ts";
import type { TestControlPlane } from "./envoy-pod.ts";
import { createThrowawayAuthority } from "./throwaway-authority.ts";

const DELTA = bytesOf(
  "envoy.service.discovery.v3.AggregatedDiscoveryService",
  "DeltaAggregatedResources",
);
export const AUTHORIZATION_TYPE =
  "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig" as const;
/** No filter that judges. */
const ANOTHER_FILTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const MAX_RECEIVE_BYTES = 4 * 1024 * 1024;
/** Of responses that no control plane has sent. */
const OWN_NONCE = "altered-";

/** What becomes of what tells authorization; all else passes. */
export type Treatment =
  | "passed on"
  /** Kept until it is passed on. */
  | "withheld"
  /** Made into something that no Envoy takes. */
  | "spoilt";

interface OpenStream {
  readonly envoy: ServerStream<Uint8Array, Uint8Array>;
  readonly upstream: ClientStream<Uint8Array, Uint8Array>;
  readonly withheld: Uint8Array[];
}

export class AlteredDiscovery implements TestControlPlane {
  readonly rootPem: string;
  #authorization: Treatment;
  #controlPlane: TestControlPlane;
  #server: SecureGrpcServer | undefined;
  readonly #streams = new Set<OpenStream>();
  /** Of authorization, as Envoy was told them. */
  readonly #names = new Set<string>();
  readonly #answered = new Set<string>();
  #removals = 0;
  /** Responses so far that Envoy did not take, in its words. */
  readonly refusals: string[] = [];
  /** How often authorization was withheld. */
  withheld = 0;
  /** How often Envoy came to ask. */
  opened = 0;

  private constructor(
    controlPlane: TestControlPlane,
    { authorization, rootPem }: { readonly authorization: Treatment; readonly rootPem: string },
  ) {
    this.#controlPlane = controlPlane;
    this.#authorization = authorization;
    this.rootPem = rootPem;
  }

  static async before(
    controlPlane: TestControlPlane,
    options: {
      readonly authorization: Treatment;
      /** Of the certificates with which agents come. */
      readonly clientRootsPem: readonly string[];
      readonly log: Log;
    },
  ): Promise<AlteredDiscovery> {
    const { authorization, clientRootsPem, log } = options;
    const authority = createThrowawayAuthority();
    const { rootPem } = authority;
    const altered = new AlteredDiscovery(controlPlane, { authorization, rootPem });
    altered.#server = await startSecureGrpcServer({
      host: "127.0.0.1",
      port: 0,
      identity: new WatchedValue({ ...authority.serverCertificate(), clientRootsPem }),
      services: [streamService(DELTA, (stream) => altered.#serve(stream), log)],
      maxReceiveBytes: MAX_RECEIVE_BYTES,
      log,
    });
    return altered;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** From now on; what was withheld before goes on with "passed on". */
  treat(authorization: Treatment): void {
    this.#authorization = authorization;
    if (authorization !== "passed on") return;
    for (const { envoy, withheld } of this.#streams)
      for (const bytes of withheld.splice(0)) envoy.send(bytes);
  }

  /** Tells Envoy that all authorization it has been told of is gone. @returns whether it has said that it knows */
  remove(): () => boolean {
    this.#removals++;
    const nonce = `${OWN_NONCE}${this.#removals}`;
    const response = create(DeltaDiscoveryResponseSchema, {
      typeUrl: AUTHORIZATION_TYPE,
      nonce,
      removedResources: [...this.#names],
    });
    for (const { envoy } of this.#streams)
      envoy.send(toBinary(DeltaDiscoveryResponseSchema, response));
    return () => this.#answered.has(nonce);
  }

  /** As one control plane ends and another begins. */
  lead(controlPlane: TestControlPlane): void {
    this.#controlPlane = controlPlane;
    for (const { upstream } of this.#streams) upstream.cancel();
  }

  async close(): Promise<void> {
    for (const { upstream } of this.#streams) upstream.cancel();
    await this.#server?.close();
  }

  async #serve(envoy: ServerStream<Uint8Array, Uint8Array>): Promise<void> {
    this.opened++;
    const { port, rootPem } = this.#controlPlane;
    const client = new GrpcClient({
      address: `127.0.0.1:${port}`,
      serverName: CONTROL_PLANE_NAME,
      rootsPem: [rootPem],
      maxReceiveBytes: MAX_RECEIVE_BYTES,
    });
    const upstream = client.streamBytes(streamPath(DELTA));
    const stream: OpenStream = { envoy, upstream, withheld: [] };
    this.#streams.add(stream);
    envoy.signal.addEventListener("abort", upstream.cancel);
    const asking = this.#ask(stream);
    try {
      for await (const bytes of upstream.responses) this.#answer(stream, bytes);
    } catch {
      // Whoever comes back asks whoever is there then.
    } finally {
      this.#streams.delete(stream);
      upstream.cancel();
      client.close();
      asking.catch(() => undefined);
    }
    throw new GrpcStatusError("UNAVAILABLE", "the control plane ended the stream");
  }

  async #ask({ envoy, upstream }: OpenStream): Promise<void> {
    for await (const bytes of envoy.requests) {
      const { responseNonce, errorDetail } = fromBinary(DeltaDiscoveryRequestSchema, bytes);
      this.#answered.add(responseNonce);
      if (errorDetail !== undefined) this.refusals.push(errorDetail.message);
      if (!responseNonce.startsWith(OWN_NONCE)) upstream.send(bytes);
    }
  }

  #answer({ envoy, withheld }: OpenStream, bytes: Uint8Array): void {
    const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
    if (response.typeUrl !== AUTHORIZATION_TYPE) {
      envoy.send(bytes);
      return;
    }
    for (const { name } of response.resources) this.#names.add(name);
    if (this.#authorization === "withheld") {
      this.withheld++;
      withheld.push(bytes);
    } else envoy.send(this.#authorization === "spoilt" ? spoilt(response) : bytes);
  }
}

function spoilt(response: DeltaDiscoveryResponse): Uint8Array {
  for (const { resource } of response.resources) {
    if (resource === undefined) continue;
    const config = fromBinary(TypedExtensionConfigSchema, resource.value);
    if (config.typedConfig === undefined) continue;
    config.typedConfig.typeUrl = ANOTHER_FILTER;
    config.typedConfig.value = new Uint8Array();
    resource.value = toBinary(TypedExtensionConfigSchema, config);
  }
  return toBinary(DeltaDiscoveryResponseSchema, response);
}
