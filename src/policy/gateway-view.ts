/**
 * What a gateway serves, as its view tells it: where it listens, for which hosts, with which certificates, and where
 * requests go from there. It holds private keys: `concealed-view.ts` leaves them out of what is shown.
 */
import type { ResourceOrigin } from "./decision.ts";
import type { StreamRoute } from "./routes/stream-route.ts";
import type { VirtualHost } from "./routes/virtual-host.ts";
import type { SocketAddress } from "./workload.ts";
import type { NetworkAdmission } from "./workload-view.ts";

export interface GatewayView {
  /** By port, ascending. */
  readonly listeners: readonly GatewayListener[];
}

/** One port. Either all of its servers are of TLS, or it has exactly one, which is not. */
export interface GatewayListener {
  /** As the Gateway says: what clients call, and matches of routes mean. */
  readonly port: number;
  /** Of the pod: the target port of the gateway's Service; what policies mean. */
  readonly containerPort: number;
  readonly listen: SocketAddress;
  /** As of an inbound port. */
  readonly admission?: NetworkAdmission;
  readonly servers: readonly GatewayServer[];
}

/** Who answers for a server name; `gatewayServerFor` finds it. */
export interface GatewayServer {
  /** The Gateways it is of: several share a plaintext port. */
  readonly origins: readonly ResourceOrigin[];
  /** Server names, in lower case: `api.example.com`, `*.example.com`, `*`. Of TLS alone. */
  readonly serverNames: readonly string[];
  /** Absent: plaintext. */
  readonly tls?: GatewayTls;
  readonly traffic: GatewayTraffic;
}

export type GatewayTraffic =
  | { readonly is: "http"; readonly virtualHosts: readonly VirtualHost[] }
  /** TLS passed on as it is, or taken off; or TCP. */
  | { readonly is: "stream"; readonly routes: readonly StreamRoute[] }
  /** AUTO_PASSTHROUGH: the server name says which destination (`Destination.serverName`, TLS-33). */
  | { readonly is: "by-server-name" };

export const GATEWAY_TLS_MODES = [
  "SIMPLE",
  "MUTUAL",
  "OPTIONAL_MUTUAL",
  "ISTIO_MUTUAL",
  "PASSTHROUGH",
  "AUTO_PASSTHROUGH",
] as const;
export type GatewayTlsMode = (typeof GATEWAY_TLS_MODES)[number];

export interface GatewayTls {
  readonly mode: GatewayTlsMode;
  /** Of SIMPLE, MUTUAL and OPTIONAL_MUTUAL: one, or two of different kinds of key. Of the others none. */
  readonly certificates: readonly ServerCertificate[];
  /** Of MUTUAL and OPTIONAL_MUTUAL: what clients' certificates must lead to. ISTIO_MUTUAL trusts the mesh's roots. */
  readonly clientTrust?: ClientTrust;
  /** Of ISTIO_MUTUAL: what callers of the mesh must have besides; absent: nothing. */
  readonly callers?: CallerDemands;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's names, for TLS 1.2; empty: the usual ones. */
  readonly cipherSuites: readonly string[];
  /** Empty: the usual ones. */
  readonly ecdhCurves: readonly string[];
  /** Why no handshake can be served; the server refuses all, and others go on. For people. */
  readonly problem?: string;
}

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

export interface ServerCertificate {
  /** The Secret it is of. */
  readonly origin: ResourceOrigin;
  /** The leaf first. */
  readonly chainPem: string;
  /** Never to be logged or shown. */
  readonly keyPem: string;
}

export interface ClientTrust extends CallerDemands {
  /** PEM of authorities. */
  readonly authoritiesPem: string;
  /** PEM of revocation lists: a certificate that is on one is refused, and one whose issuer has none too. */
  readonly crlPem?: string;
}

/** Of a certificate that leads to a trusted authority. */
export interface CallerDemands {
  /** Of which the certificate must have one; empty: any. */
  readonly subjectAltNames: readonly string[];
  /** SHA-256 of the whole certificate, lower-case hexadecimal; with `spki` one of all must fit; both empty: any. */
  readonly certificateHashes: readonly string[];
  /** SHA-256 of its public key, base64. */
  readonly publicKeyHashes: readonly string[];
}
