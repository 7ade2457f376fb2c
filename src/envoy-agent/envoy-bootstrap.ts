/**
 * What Envoy is started with: who it is, and where its agent is. All else it is told. Pure.
 * Source: envoy/config/bootstrap/v3/bootstrap.proto, as proto3 JSON
 */
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import { AGENT_SOCKET, ENVOY_ADMIN_SOCKET } from "./agent-places.ts";

export interface EnvoyNode {
  /** `sidecar~10.0.0.1~api-0.shop~shop.svc.cluster.local` */
  readonly id: string;
  /** `api.shop` */
  readonly cluster: string;
  readonly meshCluster?: string | undefined;
  readonly namespace: string;
  readonly name: string;
}

export interface EnvoyBootstrapInputs {
  readonly node: EnvoyNode;
  /** Present where the kernel leads the pod's connections to Envoy. */
  readonly capture?: CaptureSettings | undefined;
  /** How long a connection may live on the certificate that it was opened with, in seconds. */
  readonly connectionAgeSeconds: number;
  /** Whether the agent reads what Envoy decides. */
  readonly decisionLog?: boolean;
  /** Of the machine. */
  readonly ipv6?: "available" | "absent";
}

/** Under which the control plane finds what it must know of a proxy to translate for it. */
export const PROXY_SETTINGS_KEY = "HAUBERK";

const SOCKET_LEVEL = 1; // SOL_SOCKET
const MARK_OPTION = 36; // SO_MARK
/** Of all listeners together, as our own sidecar has it for each: further ones are closed at once. */
const MAX_CONNECTIONS = 16_384;
/** 0600 */
const OWNER_ONLY = 0o600;
const ADS = { ads: {}, resourceApiVersion: "V3", initialFetchTimeout: "0s" } as const;

export function envoyBootstrap(inputs: EnvoyBootstrapInputs): object {
  const { node, capture } = inputs;
  return {
    node: {
      id: node.id,
      cluster: node.cluster,
      metadata: {
        NAMESPACE: node.namespace,
        NAME: node.name,
        ...(node.meshCluster !== undefined && { CLUSTER_ID: node.meshCluster }),
        [PROXY_SETTINGS_KEY]: proxySettings(inputs),
      },
    },
    admin: { address: { pipe: { path: ENVOY_ADMIN_SOCKET, mode: OWNER_ONLY } } },
    dynamicResources: {
      // Nothing is served before all of it was told, however long that takes.
      ldsConfig: ADS,
      cdsConfig: ADS,
      adsConfig: {
        apiType: "DELTA_GRPC",
        transportApiVersion: "V3",
        setNodeOnFirstMessageOnly: true,
        grpcServices: [
          {
            envoyGrpc: {
              clusterName: "xds-grpc",
              retryPolicy: {
                retryBackOff: { baseInterval: "0.100s", maxInterval: "5s" },
              },
            },
          },
        ],
      },
    },
    staticResources: { clusters: ["xds-grpc", "sds-grpc"].map(agentCluster) },
    ...(capture && { ...ownNames(capture), ...markedConnections(capture) }),
    overloadManager: {
      resourceMonitors: [
        {
          name: "envoy.resource_monitors.global_downstream_max_connections",
          typedConfig: {
            "@type":
              "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
            maxActiveDownstreamConnections: MAX_CONNECTIONS,
          },
        },
      ],
    },
  };
}

function proxySettings(inputs: EnvoyBootstrapInputs): object {
  const { capture, connectionAgeSeconds, decisionLog, ipv6 } = inputs;
  const always = {
    connectionAgeSeconds,
    ...(decisionLog && { decisionLog }),
    ...(ipv6 === "absent" && { ipv6 }),
  };
  if (capture === undefined) return always;
  const { inboundPort, outboundPort, mark } = capture;
  return {
    capture: { inboundPort, outboundPort },
    ...(mark !== undefined && { mark }),
    ...always,
  };
}

function agentCluster(name: string): object {
  return {
    name,
    type: "STATIC",
    connectTimeout: "1s",
    typedExtensionProtocolOptions: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicitHttpConfig: { http2ProtocolOptions: {} },
      },
    },
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: { pipe: { path: AGENT_SOCKET } } } }] }],
    },
  };
}

/** Names of hosts outside are asked of the agent, as the application asks them. */
function ownNames({ dnsPort }: CaptureSettings): object {
  return {
    typedDnsResolverConfig: {
      name: "envoy.network.dns_resolver.cares",
      typedConfig: {
        "@type":
          "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        resolvers: [{ socketAddress: { address: "127.0.0.1", portValue: dnsPort } }],
        dnsResolverOptions: { noDefaultSearchDomain: true },
      },
    },
  };
}

/** The kernel leads back to Envoy what it opens itself, but for what has the mark. */
function markedConnections({ mark }: CaptureSettings): object {
  if (mark === undefined) return {};
  const option = { level: SOCKET_LEVEL, name: MARK_OPTION, intValue: mark, state: "STATE_PREBIND" };
  return { clusterManager: { upstreamBindConfig: { socketOptions: [option] } } };
}
