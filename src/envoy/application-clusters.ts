/** How the workload's own application is reached: a cluster for each port, and one for those that nobody declared. */
import type { PortProtocol } from "../api/service.ts";
import { DEFAULT_TRAFFIC_POLICY } from "../policy/effective-traffic-policy.ts";
import type { InboundPort, WorkloadView } from "../policy/workload-view.ts";
import type { EnvoyCluster } from "./envoy-json.ts";
import { alikeInbound } from "./inbound/alike-inbound.ts";
import { INBOUND_PASSTHROUGH, inboundClusterName } from "./istio-names.ts";
import { type ClusterTerms, trafficPolicyTerms } from "./outbound/traffic-policy-terms.ts";
import { httpProtocolOptions, type UpstreamVersion } from "./outbound/upstream-http.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import { NO_PART, rememberedByParts } from "./remembered.ts";

/** Linux: `SOL_SOCKET` and `SO_MARK`. */
const SOCKET_LEVEL = 1;
const MARK_OPTION = 36;

/** As Istio's: by them the kernel tells what a proxy opens to its own application (INJ-28). */
const SOURCES = ["127.0.0.6", "::6"] as const;

const VERSIONS: Readonly<Record<PortProtocol, UpstreamVersion>> = {
  http: "HTTP/1.1",
  http2: "HTTP/2",
  auto: "client's",
  tcp: "HTTP/1.1",
};

export const applicationClusters: (
  view: WorkloadView,
  settings: ProxySettings,
) => readonly EnvoyCluster[] = rememberedByParts(
  ({ inbound, interception }, settings) => [
    settings,
    interception ?? NO_PART,
    settings.capture === undefined ? inbound : alikeInbound(inbound),
  ],
  makeClusters,
);

function makeClusters(
  { inbound, interception }: WorkloadView,
  settings: ProxySettings,
): readonly EnvoyCluster[] {
  const declared = inbound.ports.map((port) => ({
    name: inboundClusterName(port),
    ...ofApplication(VERSIONS[port.protocol]),
    ...(settings.capture === undefined ? atItsAddress(port) : inPod(settings, port)),
  }));
  if (interception === undefined) return declared;
  const others = { ...ofApplication("client's"), ...inPod(settings) };
  return [...declared, { name: INBOUND_PASSTHROUGH, ...others }];
}

function ofApplication(version: UpstreamVersion): ClusterTerms {
  return { ...trafficPolicyTerms(DEFAULT_TRAFFIC_POLICY), ...httpProtocolOptions({ version }) };
}

function atItsAddress(port: InboundPort): ClusterTerms {
  const { address, port: portValue } = port.application;
  const endpoint = { address: { socketAddress: { address, portValue } } };
  const loadAssignment = {
    clusterName: inboundClusterName(port),
    endpoints: [{ locality: {}, lbEndpoints: [{ endpoint }] }],
  };
  return { type: "STATIC", loadAssignment };
}

/** By the address that the caller called: an application need not listen on loopback. */
function inPod(settings: ProxySettings, port?: InboundPort): ClusterTerms {
  const moved = port !== undefined && port.application.port !== port.containerPort;
  return {
    type: "ORIGINAL_DST",
    lbPolicy: "CLUSTER_PROVIDED",
    ...(moved && { originalDstLbConfig: { upstreamPortOverride: port.application.port } }),
    upstreamBindConfig: ownSource(settings),
  };
}

/** It replaces what the bootstrap says for all connections, so that the mark is said again. */
function ownSource({ mark }: ProxySettings): object {
  const [ipv4, ipv6] = SOURCES.map((address) => ({ address, portValue: 0 }));
  return {
    sourceAddress: ipv4,
    extraSourceAddresses: [{ address: ipv6 }],
    ...(mark !== undefined && { socketOptions: [markOption(mark)] }),
  };
}

/** envoy.config.core.v3.SocketOption */
export function markOption(mark: number): object {
  return {
    description: "mark",
    level: SOCKET_LEVEL,
    name: MARK_OPTION,
    intValue: mark,
    state: "STATE_PREBIND",
  };
}
