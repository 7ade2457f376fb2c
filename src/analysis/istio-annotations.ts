/**
 * The annotations that Istio knows, with their maturity and the kinds they may stand on.
 * Source: `annotation/annotations.gen.go` of istio/api (Apache-2.0).
 */
const ANNOTATIONS = `
alpha.istio.io/canonical-serviceaccounts Alpha deprecated Service
alpha.istio.io/kubernetes-serviceaccounts Alpha deprecated Service
ambient.istio.io/bypass-inbound-capture Alpha Pod
ambient.istio.io/dns-capture Alpha Pod
ambient.istio.io/redirection Beta Pod
ambient.istio.io/waypoint-inbound-binding Alpha GatewayClass,Gateway
galley.istio.io/analyze-suppress Alpha Any
gateway.istio.io/controller-version Alpha Any
gateway.istio.io/name-override Alpha Gateway
gateway.istio.io/service-account Alpha Gateway
inject.istio.io/templates Alpha Pod
istio.io/autoRegistrationGroup Alpha WorkloadEntry
istio.io/connectedAt Alpha WorkloadEntry
istio.io/disconnectedAt Alpha WorkloadEntry
istio.io/dry-run Alpha AuthorizationPolicy
istio.io/reroute-virtual-interfaces Alpha Pod
istio.io/rev Alpha Pod
istio.io/use-waypoint-canary-weight Alpha Service,ServiceEntry,Namespace
istio.io/workloadController Alpha WorkloadEntry
kubernetes.io/ingress.class Stable Ingress
networking.istio.io/exportTo Alpha Service
networking.istio.io/service-type Alpha Gateway
networking.istio.io/traffic-distribution Alpha Namespace,Service,ServiceEntry
prometheus.istio.io/merge-metrics Alpha Pod
proxy.istio.io/config Beta Pod
proxy.istio.io/overrides Alpha Pod
readiness.status.sidecar.istio.io/applicationPorts Alpha Pod
readiness.status.sidecar.istio.io/failureThreshold Alpha Pod
readiness.status.sidecar.istio.io/initialDelaySeconds Alpha Pod
readiness.status.sidecar.istio.io/periodSeconds Alpha Pod
sidecar.istio.io/agentLogLevel Alpha Pod
sidecar.istio.io/bootstrapOverride Alpha Pod
sidecar.istio.io/componentLogLevel Alpha Pod
sidecar.istio.io/discoveryAddress Alpha deprecated Pod
sidecar.istio.io/extraStatTags Alpha deprecated Pod
sidecar.istio.io/inject Beta deprecated Pod
sidecar.istio.io/interceptionMode Alpha Pod
sidecar.istio.io/logLevel Alpha Pod
sidecar.istio.io/nativeSidecar Alpha Pod
sidecar.istio.io/proxyCPU Alpha Pod
sidecar.istio.io/proxyCPULimit Alpha Pod
sidecar.istio.io/proxyImage Alpha Pod
sidecar.istio.io/proxyImageType Alpha Pod
sidecar.istio.io/proxyMemory Alpha Pod
sidecar.istio.io/proxyMemoryLimit Alpha Pod
sidecar.istio.io/rewriteAppHTTPProbers Alpha Pod
sidecar.istio.io/statsCompression Alpha deprecated Pod
sidecar.istio.io/statsEvictionInterval Alpha Pod
sidecar.istio.io/statsFlushInterval Alpha Pod
sidecar.istio.io/statsHistogramBins Alpha Pod
sidecar.istio.io/statsHistogramBuckets Alpha Pod
sidecar.istio.io/statsInclusionPrefixes Alpha deprecated Pod
sidecar.istio.io/statsInclusionRegexps Alpha deprecated Pod
sidecar.istio.io/statsInclusionSuffixes Alpha deprecated Pod
sidecar.istio.io/status Alpha Pod
sidecar.istio.io/userVolume Alpha Pod
sidecar.istio.io/userVolumeMount Alpha Pod
status.sidecar.istio.io/port Alpha Pod
topology.istio.io/controlPlaneClusters Alpha Namespace
traffic.istio.io/nodeSelector Stable Service
traffic.sidecar.istio.io/excludeInboundPorts Alpha Pod
traffic.sidecar.istio.io/excludeInterfaces Alpha Pod
traffic.sidecar.istio.io/excludeOutboundIPRanges Alpha Pod
traffic.sidecar.istio.io/excludeOutboundPorts Alpha Pod
traffic.sidecar.istio.io/includeInboundPorts Alpha Pod
traffic.sidecar.istio.io/includeOutboundIPRanges Alpha Pod
traffic.sidecar.istio.io/includeOutboundPorts Alpha Pod
traffic.sidecar.istio.io/kubevirtInterfaces Alpha deprecated Pod
`;

export interface IstioAnnotation {
  readonly maturity: "Alpha" | "Beta" | "Stable";
  readonly deprecated: boolean;
  /** "Any": on all kinds. */
  readonly kinds: readonly string[];
}

export const ISTIO_ANNOTATIONS: ReadonlyMap<string, IstioAnnotation> = new Map(
  ANNOTATIONS.trim()
    .split("\n")
    .map((row) => {
      const words = row.split(" ");
      const [name = "", maturity] = words;
      const kinds = (words.at(-1) ?? "").split(",");
      return [name, { maturity: maturityOf(maturity), deprecated: words.length > 3, kinds }];
    }),
);

function maturityOf(word: string | undefined): IstioAnnotation["maturity"] {
  return word === "Beta" || word === "Stable" ? word : "Alpha";
}
