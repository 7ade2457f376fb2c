/** One sentence for each kind that Kubernetes does not describe itself: what `kubectl explain` begins with. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  "security.istio.io/AuthorizationPolicy":
    "AuthorizationPolicy says which requests to a workload are allowed, denied, or asked about.",
  "security.istio.io/PeerAuthentication":
    "PeerAuthentication says which mutual TLS a workload demands of its callers.",
  "security.istio.io/RequestAuthentication":
    "RequestAuthentication says which tokens of end users a workload takes, and who signs them.",
  "networking.istio.io/DestinationRule":
    "DestinationRule says how callers reach a host: its subsets, TLS, load balancing and limits.",
  "networking.istio.io/EnvoyFilter":
    "EnvoyFilter alters what Envoy is told. Only Envoy can follow it.",
  "networking.istio.io/Gateway":
    "Gateway says which ports and hosts are served at the edge of the mesh.",
  "networking.istio.io/ProxyConfig": "ProxyConfig sets up the sidecars of some workloads.",
  "networking.istio.io/ServiceEntry": "ServiceEntry makes a host outside the mesh known in it.",
  "networking.istio.io/Sidecar":
    "Sidecar limits what the sidecars of some workloads can reach, and says what they serve.",
  "networking.istio.io/VirtualService":
    "VirtualService says where requests to a host are routed to.",
  "networking.istio.io/WorkloadEntry": "WorkloadEntry describes one workload that is not a pod.",
  "networking.istio.io/WorkloadGroup":
    "WorkloadGroup describes what workloads that are not pods share.",
  "telemetry.istio.io/Telemetry":
    "Telemetry says what is logged, counted and traced of which workloads.",
  "extensions.istio.io/WasmPlugin": "WasmPlugin puts a WebAssembly filter into a proxy.",
  "gateway.networking.k8s.io/Gateway":
    "Gateway says which ports and hosts are served at the edge of the mesh.",
  "gateway.networking.k8s.io/GatewayClass": "GatewayClass says who serves the Gateways of a class.",
  "gateway.networking.k8s.io/HTTPRoute": "HTTPRoute says where HTTP requests are routed to.",
  "gateway.networking.k8s.io/ReferenceGrant":
    "ReferenceGrant lets resources of other namespaces refer to those of its own.",
  "hauberk.dev/ImageCommands":
    "ImageCommands says which local command stands for which container image.",
  "hauberk.dev/RateLimit": "RateLimit says how many requests or connections workloads take.",
  "hauberk.dev/RemoteCluster": "RemoteCluster names another mesh whose services are to be reached.",
};

/** @returns undefined for other kinds */
export function kindDescription({
  group,
  kind,
}: {
  readonly group: string;
  readonly kind: string;
}): string | undefined {
  return DESCRIPTIONS[`${group}/${kind}`];
}
