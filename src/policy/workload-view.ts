/**
 * WorkloadView: all that one sidecar must know. The single contract between the control plane, both data planes and
 * every tool: effective policy in, destinations out, trust. Plain JSON, versioned, no functions.
 */

import type { AuthorizationAction, AuthorizationRule } from "../api/authorization-policy.ts";
import type { LogFilter } from "../api/log-filter.ts";
import type { LogFormat, PathNormalization } from "../api/mesh-settings.ts";
import type { ProxyHeaders } from "../api/proxy-headers.ts";
import type {
  ClaimToHeader,
  TokenLocations,
  TokenPresence,
} from "../api/request-authentication.ts";
import type { Labels, ResourceRef, SourceLocation } from "../api/resource.ts";
import type { PortProtocol } from "../api/service.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { AppliedAuthorizer } from "./applied-authorizers.ts";
import type { AppliedRateLimit } from "./applied-rate-limits.ts";
import type { MutualTlsMode, Origin, ResourceOrigin } from "./decision.ts";
import type { EffectiveTrafficPolicy } from "./effective-traffic-policy.ts";
import type { GatewayTopology } from "./gateway-topology.ts";
import type { GatewayView } from "./gateway-view.ts";
import type { StreamRoute } from "./routes/stream-route.ts";
import type { VirtualHost } from "./routes/virtual-host.ts";
import type { ServiceEntryTerms } from "./service-entry-terms.ts";
import type { TlsOrigination } from "./tls-origination.ts";
import type { SocketAddress } from "./workload.ts";

/** Raised whenever an older sidecar would misread a newer view; it then refuses (nacks) the view. */
export const WORKLOAD_VIEW_FORMAT = 6;
/** Of changes of such a view: `{base, gone, changed}`, the version they change, names of fields, and fields as they are now. */
export const VIEW_CHANGES_FORMAT: number = 1_000 + WORKLOAD_VIEW_FORMAT;

export interface WorkloadView {
  readonly workload: {
    readonly namespace: string;
    readonly name: string;
    readonly owner: string;
    readonly labels: Labels;
    readonly serviceAccount: string;
    readonly identity: SpiffeId;
  };
  readonly trust: Trust;
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  /** Present where the kernel leads all connections of the pod to its sidecar, whatever their port. */
  readonly interception?: Interception;
  /** Access logs as users asked for them; absent: nobody did. */
  readonly telemetry?: EffectiveTelemetry;
  /** Absent: `DEFAULT_PROXY_HEADERS`. */
  readonly proxyHeaders?: ProxyHeaders;
  /** Present exactly where a Gateway selects the workload. */
  readonly gateway?: GatewayView;
  /** Of a gateway; absent: nothing that stands in front of it is believed. */
  readonly gatewayTopology?: GatewayTopology;
}

/** To whom is told what a sidecar carries, in the order of the names of providers (OBS-10). */
export interface EffectiveTelemetry {
  /** Of calls that the workload takes. */
  readonly inbound: readonly AccessLog[];
  /** Of calls that it makes. */
  readonly outbound: readonly AccessLog[];
  /** Absent: no spans are told, and headers that tell of a trace pass untouched. */
  readonly tracing?: EffectiveTracing;
}

/** One file into which lines are written. */
export interface AccessLog {
  readonly provider: string;
  /** `/dev/stdout` is the log that Istio's users look into. */
  readonly path: string;
  readonly format: LogFormat;
  /** Absent: everything is logged. */
  readonly filter?: LogFilter;
  /** Whether connections that are refused before they carry anything are left out (OBS-4). */
  readonly refusals?: "left out";
}

/** A side without spans is absent. */
export interface EffectiveTracing {
  readonly inbound?: SideTracing;
  readonly outbound?: SideTracing;
  /** How spans of calls to the workload are called, by its port: `api.shop.svc.cluster.local:80/*`. */
  readonly operations: readonly { readonly containerPort: number; readonly name: string }[];
}

/** Of the calls that a workload takes, or of those that it makes. */
export interface SideTracing {
  readonly collector: SpanCollector;
  /** `service.name` of all its spans. */
  readonly serviceName: string;
  /** Of 10,000 requests whose caller did not decide, how many are sampled. */
  readonly sampledOf10000: number;
  readonly sampledBy: "request id" | "chance";
  /** Whether those called are told of the trace. */
  readonly propagation: "on" | "off";
  /** Of a path in a span, in characters. */
  readonly maxPathLength: number;
  /** Of several with one name the last counts. */
  readonly tags: readonly SpanTag[];
}

/** What is empty becomes no tag. */
export type SpanTag =
  | { readonly name: string; readonly value: string }
  /** Of the request; in lower case. */
  | { readonly name: string; readonly header: string; readonly defaultValue: string }
  /** With Envoy's command operators. */
  | { readonly name: string; readonly template: string };

/** Where spans are sent, in OTLP. */
export interface SpanCollector {
  /** For people. */
  readonly provider: string;
  /** A service of the mesh, or what a resolver knows. */
  readonly host: string;
  readonly port: number;
  /** Of the service. */
  readonly namespace?: string;
  readonly protocol: "grpc" | "http";
  /** For `http`. */
  readonly path: string;
  readonly timeoutMs: number;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What applies to traffic that names no declared port and no known destination. */
export interface Interception {
  /** For inbound ports that are not declared; `ports` are those with a mode of their own. */
  readonly undeclaredPorts: {
    readonly mutualTls: EffectiveMutualTls;
    readonly ports: readonly {
      readonly containerPort: number;
      readonly mutualTls: EffectiveMutualTls;
    }[];
  };
  /** `outboundTrafficPolicy` of the mesh configuration: whether other addresses can be reached. */
  readonly unknownDestinations: "ALLOW_ANY" | "REGISTRY_ONLY";
}

export interface Trust {
  readonly trustDomain: string;
  /** Further trust domains whose peers are accepted (TLS-4, CA-55). */
  readonly trustDomainAliases: readonly string[];
  /** PEM of every trusted root. */
  readonly rootsPem: readonly string[];
  /**
   * Subject key identifiers, lower-case hexadecimal, of authorities that are being replaced: whoever has a certificate of
   * one of them renews it now. Absent: none.
   */
  readonly taintedAuthorities?: readonly string[];
  /** PEM of revocation lists: a peer whose certificate is on one is refused (CA-50). Absent: none. */
  readonly crlsPem?: readonly string[];
  readonly minimumTlsVersion: "TLSv1.2" | "TLSv1.3";
}

export interface Inbound {
  readonly ports: readonly InboundPort[];
  readonly authorization: EffectiveAuthorization;
  readonly pathNormalization: PathNormalization;
  /** Whom CUSTOM policies delegate to, by name; absent: there are none. */
  readonly authorizers?: readonly AppliedAuthorizer[];
  /** Of RequestAuthentications, by issuer (JWT-3); absent: none applies. */
  readonly tokenRules?: readonly AppliedTokenRule[];
  /** In the order in which they are asked; absent: none applies. */
  readonly rateLimits?: readonly AppliedRateLimit[];
}

/** Which tokens of one issuer are good, and what becomes of them. */
export interface AppliedTokenRule {
  readonly ref: ResourceRef;
  readonly source: SourceLocation;
  /** "" accepts any (JWT-17). */
  readonly issuer: string;
  /** Empty accepts any (JWT-33). */
  readonly audiences: readonly string[];
  /** Public keys as a JSON Web Key Set; absent: they could not be fetched yet, and no token of it is good. */
  readonly jwks?: string;
  readonly locations: TokenLocations;
  readonly presence: TokenPresence;
  /** Whether the application sees a token that was good (JWT-70). */
  readonly afterwards: "removed" | "forwarded";
  /** JWT-72 */
  readonly outputPayloadToHeader?: string;
  /** JWT-73 */
  readonly outputClaimToHeaders: readonly ClaimToHeader[];
  /** JWT-65 */
  readonly spaceDelimitedClaims: readonly string[];
}

export interface InboundPort {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  readonly mutualTls: EffectiveMutualTls;
  readonly listen: SocketAddress;
  readonly application: SocketAddress;
  /** Whom NetworkPolicies let in, where the sidecar is the one to enforce them; absent: everybody. */
  readonly admission?: NetworkAdmission;
}

/**
 * NetworkPolicy on one inbound port as a sidecar can enforce it that knows its caller by certificate, not by pod: an
 * identity is admitted when a pod that has it is.
 */
export interface NetworkAdmission {
  readonly policies: readonly ResourceRef[];
  readonly identities: readonly SpiffeId[];
  /** Whether a caller without identity is admitted, as by a rule without `from`. */
  readonly anyone: boolean;
}

/** A mode and the resource that set it. */
export interface EffectiveMutualTls {
  readonly mode: MutualTlsMode;
  readonly origin: Origin;
}

/** The policies that apply to the workload, by action; each list in evaluation order. */
export interface EffectiveAuthorization {
  readonly custom: readonly AppliedPolicy[];
  readonly audit: readonly AppliedPolicy[];
  readonly deny: readonly AppliedPolicy[];
  readonly allow: readonly AppliedPolicy[];
}

export interface AppliedPolicy {
  readonly ref: ResourceRef;
  readonly source: SourceLocation;
  readonly action: AuthorizationAction;
  /** The external authorizer, exactly where the action is CUSTOM (AP-120). */
  readonly provider?: string;
  /** On trial: judged and logged, never enforced (AP-110..AP-113). */
  readonly dryRun?: true;
  readonly rules: readonly AuthorizationRule[];
}

export interface Outbound {
  readonly httpProxy?: SocketAddress;
  readonly destinations: readonly Destination[];
  /** Those that routes of the view name; absent: none. */
  readonly subsets?: readonly DestinationSubset[];
  /** Of VirtualServices for sidecars (gateway `mesh`), by the hosts that the application calls; absent: none. */
  readonly virtualHosts?: readonly VirtualHost[];
  /** Of the same, for TLS and TCP; absent: none. */
  readonly streamRoutes?: readonly StreamRoute[];
}

/** One port of one service the workload may call. */
export interface Destination {
  readonly serviceNamespace: string;
  readonly serviceName: string;
  /** `api.production.svc.cluster.local` */
  readonly host: string;
  readonly servicePort: number;
  readonly protocol: PortProtocol;
  /** Present exactly where a ServiceEntry describes it. */
  readonly serviceEntry?: ServiceEntryTerms;
  /** Absent where no DestinationRule decides: mutual TLS is then automatic, endpoint by endpoint. */
  readonly clientTls?: EffectiveClientTls;
  /** How TLS with certificates of others is spoken to every endpoint; there exactly with mode SIMPLE or MUTUAL. */
  readonly tlsOrigination?: TlsOrigination;
  /** How calls are spread and limited, where a DestinationRule says anything of it; absent: `DEFAULT_TRAFFIC_POLICY`. */
  readonly trafficPolicy?: AppliedTrafficPolicy;
  /**
   * By which the application calls it, where pods have addresses of their own: the service's. Empty for a headless
   * service, which is called by the addresses of its pods.
   */
  readonly addresses?: readonly string[];
  readonly headless?: true;
  /** Where the sidecar listens for the application; absent when the port is only reached through the HTTP proxy. */
  readonly listen?: SocketAddress;
  /** Identities the callee may prove: of the workloads behind the service (TLS-34), or as a DestinationRule says (TLS-32). */
  readonly identities: readonly SpiffeId[];
  /** TLS server name: `outbound_.8080_._.api.production.svc.cluster.local` (TLS-33), or as a DestinationRule says. */
  readonly serverName: string;
  /** Those that are ready. */
  readonly endpoints: readonly Endpoint[];
}

/** Of a destination the endpoints with the labels of a DestinationRule's subset, called by its traffic policy (TLS-42). */
export interface DestinationSubset extends Destination {
  readonly subset: string;
}

/** What a DestinationRule says for every endpoint of a destination (TLS-30, TLS-31). The rest of the destination already obeys it. */
export interface EffectiveClientTls {
  readonly mode: "DISABLE" | "SIMPLE" | "MUTUAL" | "ISTIO_MUTUAL";
  readonly origin: ResourceOrigin;
}

/** The same, and by which rule. */
export interface AppliedTrafficPolicy extends EffectiveTrafficPolicy {
  readonly origin: ResourceOrigin;
}

export interface Endpoint {
  readonly workload: string;
  readonly address: SocketAddress;
  /** Every address of the pod, where it has its own. */
  readonly podAddresses?: readonly string[];
  /** The name before the service's by which this pod alone is meant: `etcd-0`. Only behind a headless service. */
  readonly hostname?: string;
  /** NetworkPolicies that keep the caller away from it: a call must fail, and say so. */
  readonly refusedBy?: NetworkRefusal;
  /** Whether to originate mutual TLS to it (TLS-20..TLS-31). */
  readonly mutualTls: boolean;
}

/** Why NetworkPolicies refuse a connection: the policies that isolate the pod at that end, none of which allows it. */
export interface NetworkRefusal {
  /** "egress": the caller may not go there; "ingress": the callee takes nobody from there. */
  readonly direction: "egress" | "ingress";
  readonly policies: readonly ResourceRef[];
}
