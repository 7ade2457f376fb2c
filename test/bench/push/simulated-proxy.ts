/**
 * A proxy that speaks incremental discovery as an Envoy behind its agent does, and does nothing with what it gets: as light as can
 * be, so that its work does not stand in for the control plane's. It asks for clusters, then for their endpoints, for listeners, and for the
 * routes and the authorization that these name.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTls } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import { CONTROL_PLANE_NAME } from "../../../src/identity/certificate-client.ts";
import {
  PACKING,
  PACKING_HEADER,
  unpackedMessage,
} from "../../../src/wire/envoy/packed-messages.ts";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
} from "../../../src/wire/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { type ReadResponse, readResponse } from "./read-response.ts";

const PATH = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
const PREFIX = "type.googleapis.com/envoy.config.";
const CLUSTERS = `${PREFIX}cluster.v3.Cluster`;
const ENDPOINTS = `${PREFIX}endpoint.v3.ClusterLoadAssignment`;
const LISTENERS = `${PREFIX}listener.v3.Listener`;
const ROUTES = `${PREFIX}route.v3.RouteConfiguration`;
const AUTHORIZATION = `${PREFIX}core.v3.TypedExtensionConfig`;
const AUTHORIZATION_NAME = /authorization\/[a-z]+\/[a-z-]+/g;
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** Bytes that may be under way to it: as Envoy has them. */
const WINDOW = 64 * 1024 * 1024;
const FRAME_HEAD = 5;

export interface ProxyEvents {
  readonly onResponse: (proxy: SimulatedProxy, response: ReadResponse, bytes: number) => void;
  readonly onSynced: (proxy: SimulatedProxy) => void;
  /** The control plane would not have it, or has gone. */
  readonly onEnd: (proxy: SimulatedProxy, status: string) => void;
}

export interface ProxyAddress {
  readonly port: number;
  readonly rootPem: string;
  readonly pod: string;
  readonly token: string;
}

export class SimulatedProxy {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #events: ProxyEvents;
  readonly #asked = new Set<string>();
  #waiting = 0;
  #isSynced = false;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor({ port, rootPem, pod, token }: ProxyAddress, events: ProxyEvents) {
    this.#events = events;
    const socket = connectTls({
      host: "127.0.0.1",
      port,
      ca: rootPem,
      servername: CONTROL_PLANE_NAME,
      ALPNProtocols: ["h2"],
    });
    this.#session = connect(`https://${CONTROL_PLANE_NAME}:${port}`, {
      createConnection: () => socket,
      settings: { initialWindowSize: WINDOW, enablePush: false },
    });
    this.#session.on("connect", (session) => session.setLocalWindowSize(WINDOW));
    this.#session.on("error", (error) => events.onEnd(this, error.message));
    this.#stream = this.#session.request({
      ":method": "POST",
      ":path": PATH,
      "content-type": "application/grpc",
      te: "trailers",
      authorization: `Bearer ${token}`,
      [PACKING_HEADER]: PACKING,
    });
    this.#stream.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#stream.on("trailers", (trailers) =>
      events.onEnd(this, `${trailers["grpc-status"]} ${trailers["grpc-message"]}`),
    );
    this.#stream.on("error", (error) => events.onEnd(this, error.message));
    const [namespace, name] = pod.split("/");
    this.#ask(CLUSTERS, {
      node: {
        id: `sidecar~10.0.0.1~${name}.${namespace}~${namespace}.svc.cluster.local`,
        metadata: { HAUBERK: { capture: { inboundPort: 15_006, outboundPort: 15_001 } } },
        userAgentVersionType: {
          case: "userAgentBuildVersion",
          value: { version: { majorNumber: 1, minorNumber: 40 } },
        },
      },
    });
  }

  close(): void {
    this.#session.destroy();
  }

  #ask(typeUrl: string, request: Parameters<typeof create<typeof DeltaDiscoveryRequestSchema>>[1]) {
    this.#asked.add(typeUrl);
    this.#waiting++;
    this.#send(typeUrl, request);
  }

  #send(
    typeUrl: string,
    request: Parameters<typeof create<typeof DeltaDiscoveryRequestSchema>>[1],
  ): void {
    const message: DeltaDiscoveryRequest = create(DeltaDiscoveryRequestSchema, request);
    message.typeUrl = typeUrl;
    const bytes = toBinary(DeltaDiscoveryRequestSchema, message);
    const frame = Buffer.alloc(FRAME_HEAD + bytes.length);
    frame.writeUInt32BE(bytes.length, 1);
    frame.set(bytes, FRAME_HEAD);
    this.#stream.write(frame);
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= FRAME_HEAD) {
      const [first = Buffer.alloc(0)] = this.#chunks;
      const head = first.length >= FRAME_HEAD ? first : this.#joined();
      const size = FRAME_HEAD + head.readUInt32BE(1);
      if (this.#length < size) return;
      const all = this.#joined();
      this.#chunks = size < all.length ? [all.subarray(size)] : [];
      this.#length -= size;
      const message = unpackedMessage(all.subarray(FRAME_HEAD, size), MAX_MESSAGE_BYTES);
      const { buffer, byteOffset, length } = message;
      this.#answer(readResponse(Buffer.from(buffer, byteOffset, length)), size);
    }
  }

  #joined(): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = all === undefined ? [] : [all];
    return all ?? Buffer.alloc(0);
  }

  #answer(response: ReadResponse, bytes: number): void {
    const { typeUrl, nonce } = response;
    this.#events.onResponse(this, response, bytes);
    if (!this.#isSynced) this.#waiting--;
    this.#send(typeUrl, { responseNonce: nonce });
    if (this.#isSynced) return;
    if (typeUrl === CLUSTERS) {
      const names = response.names().filter((name) => name.startsWith("outbound|"));
      this.#ask(ENDPOINTS, { resourceNamesSubscribe: names });
    } else if (typeUrl === ENDPOINTS) this.#ask(LISTENERS, {});
    else if (typeUrl === LISTENERS) {
      const text = response.bytes.toString("latin1");
      const policies = [...new Set(text.match(AUTHORIZATION_NAME) ?? [])];
      if (policies.length > 0) this.#ask(AUTHORIZATION, { resourceNamesSubscribe: policies });
      this.#ask(ROUTES, { resourceNamesSubscribe: ["80"] });
    }
    if (this.#waiting > 0 || !this.#asked.has(ROUTES)) return;
    this.#isSynced = true;
    this.#events.onSynced(this);
  }
}
