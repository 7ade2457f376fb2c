/**
 * A proxy that speaks incremental discovery as an Envoy behind its agent does, and does nothing with what it gets: as light as can
 * be, so that its work does not stand in for the control plane's. It asks for clusters, then for their endpoints, for listeners, and for the
 * routes and the authorization that these name.
 */
import type { SecureContext } from "node:tls";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { CONTROL_PLANE_NAME } from "../../../src/identity/certificate-client.ts";
import { PACKING, PACKING_HEADER } from "../../../src/wire/envoy/packed-messages.ts";
import { DeltaDiscoveryRequestSchema } from "../../../src/wire/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { MessageStream, messageFrame } from "./message-stream.ts";
import { type ReadResources, type ResponseEnd, readEnd, readResources } from "./read-response.ts";

const PATH = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
const PREFIX = "type.googleapis.com/envoy.config.";
const CLUSTERS = `${PREFIX}cluster.v3.Cluster`;
const ENDPOINTS = `${PREFIX}endpoint.v3.ClusterLoadAssignment`;
const LISTENERS = `${PREFIX}listener.v3.Listener`;
const ROUTES = `${PREFIX}route.v3.RouteConfiguration`;
const AUTHORIZATION = `${PREFIX}core.v3.TypedExtensionConfig`;

export interface ProxyEvents {
  /** @param size as it crossed the wire, with its frame's head, in bytes */
  readonly onResponse: (
    proxy: SimulatedProxy,
    response: { readonly message: Buffer; readonly end: ResponseEnd; readonly size: number },
  ) => void;
  readonly onSynced: (proxy: SimulatedProxy) => void;
  /** The control plane would not have it, or has gone. */
  readonly onEnd: (proxy: SimulatedProxy, status: string) => void;
}

export interface ProxyAddress {
  readonly port: number;
  readonly context: SecureContext;
  readonly pod: string;
  readonly token: string;
}

export class SimulatedProxy {
  readonly #stream: MessageStream;
  readonly #events: ProxyEvents;
  readonly #asked = new Set<string>();
  #waiting = 0;
  #isSynced = false;

  constructor({ port, context, pod, token }: ProxyAddress, events: ProxyEvents) {
    this.#events = events;
    const headers = { authorization: `Bearer ${token}`, [PACKING_HEADER]: PACKING };
    this.#stream = new MessageStream(
      { port, context, serverName: CONTROL_PLANE_NAME, path: PATH, headers },
      {
        message: (bytes, size) => this.#take(bytes, size),
        ended: (reason) => events.onEnd(this, reason),
      },
    );
    const [namespace, name] = pod.split("/");
    const id = `sidecar~10.0.0.1~${name}.${namespace}~${namespace}.svc.cluster.local`;
    this.#ask(CLUSTERS, requestFrame({ typeUrl: CLUSTERS, node: { id, ...NODE } }));
  }

  close(): void {
    this.#stream.close();
  }

  #ask(typeUrl: string, frame: Buffer): void {
    this.#asked.add(typeUrl);
    this.#waiting++;
    this.#stream.send(frame);
  }

  #take(message: Buffer, size: number): void {
    const end = readEnd(message);
    this.#events.onResponse(this, { message, end, size });
    this.#stream.send(acknowledgement(end));
    if (this.#isSynced) return;
    this.#waiting--;
    this.#askOn(end.typeUrl, () => readResources(message, end));
    if (this.#waiting > 0 || !this.#asked.has(ROUTES)) return;
    this.#isSynced = true;
    this.#events.onSynced(this);
  }

  #askOn(typeUrl: string, resources: () => ReadResources): void {
    if (typeUrl === CLUSTERS) this.#ask(ENDPOINTS, endpointsRequest(resources()));
    else if (typeUrl === ENDPOINTS) this.#ask(LISTENERS, requestFrame({ typeUrl: LISTENERS }));
    else if (typeUrl === LISTENERS) {
      const { policies } = resources();
      const asked = { typeUrl: AUTHORIZATION, resourceNamesSubscribe: [...policies] };
      if (policies.length > 0) this.#ask(AUTHORIZATION, requestFrame(asked));
      this.#ask(ROUTES, requestFrame({ typeUrl: ROUTES, resourceNamesSubscribe: ["80"] }));
    }
  }
}

const NODE = {
  metadata: { HAUBERK: { capture: { inboundPort: 15_006, outboundPort: 15_001 } } },
  userAgentVersionType: {
    case: "userAgentBuildVersion",
    value: { version: { majorNumber: 1, minorNumber: 40 } },
  },
} as const;

function requestFrame(request: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): Buffer {
  return messageFrame(
    toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request)),
  );
}

const endpointsRequests = new WeakMap<ReadResources, Buffer>();

/** Made once for all that were told of the same clusters. */
function endpointsRequest(clusters: ReadResources): Buffer {
  const known = endpointsRequests.get(clusters);
  if (known !== undefined) return known;
  const resourceNamesSubscribe = clusters.names.filter((name) => name.startsWith("outbound|"));
  const made = requestFrame({ typeUrl: ENDPOINTS, resourceNamesSubscribe });
  endpointsRequests.set(clusters, made);
  return made;
}

const acknowledgements = new Map<string, Buffer>();

/** Many proxies have come to the same nonce. */
function acknowledgement({ typeUrl, nonce }: ResponseEnd): Buffer {
  const key = `${typeUrl} ${nonce}`;
  const known = acknowledgements.get(key);
  if (known !== undefined) return known;
  const made = requestFrame({ typeUrl, responseNonce: nonce });
  acknowledgements.set(key, made);
  return made;
}
