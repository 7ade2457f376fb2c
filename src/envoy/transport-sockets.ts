/** TLS of the mesh as Envoy would be told of it: which secrets, what is demanded of peers, what is spoken inside. */
import type { Destination, Trust } from "../policy/workload-view.ts";
import { type TransportSocket, typeUrl } from "./envoy-json.ts";

const TLS = "envoy.transport_sockets.tls";
const PACKAGE = "envoy.extensions.transport_sockets.tls.v3";
/** Istio's names of the workload's own certificate, and of the roots it trusts. */
const OWN_CERTIFICATE = [{ name: "default" }];
const ROOTS = { name: "ROOTCA" };

const VERSIONS: Readonly<Record<Trust["minimumTlsVersion"], string>> = {
  "TLSv1.2": "TLSv1_2",
  "TLSv1.3": "TLSv1_3",
};

/** What callers meet (TLS-4): a certificate of the mesh is demanded. */
export function downstreamTls(trust: Trust, spoken: "http" | "tcp"): TransportSocket {
  const domains = [trust.trustDomain, ...trust.trustDomainAliases];
  return {
    name: TLS,
    typedConfig: {
      "@type": typeUrl(`${PACKAGE}.DownstreamTlsContext`),
      commonTlsContext: {
        tlsParams: versions(trust),
        alpnProtocols:
          spoken === "http" ? ["h2", "http/1.1"] : ["istio-peer-exchange", "h2", "http/1.1"],
        tlsCertificateSdsSecretConfigs: OWN_CERTIFICATE,
        combinedValidationContext: validation(
          domains.map((domain) => ({ prefix: `spiffe://${domain}/` })),
        ),
      },
      requireClientCertificate: true,
    },
  };
}

/** What callees meet (TLS-33, TLS-34): who they must prove to be. */
export function upstreamTls(
  { identities, serverName, protocol }: Destination,
  trust: Trust,
): TransportSocket {
  const alpn = protocol === "http2" ? ["istio", "h2"] : ["istio"];
  return {
    name: TLS,
    typedConfig: {
      "@type": typeUrl(`${PACKAGE}.UpstreamTlsContext`),
      commonTlsContext: {
        tlsParams: versions(trust),
        alpnProtocols: ["istio-peer-exchange", ...alpn],
        tlsCertificateSdsSecretConfigs: OWN_CERTIFICATE,
        combinedValidationContext: validation(identities.map((identity) => ({ exact: identity }))),
      },
      sni: serverName,
    },
  };
}

/** TLS whose certificates are others' (TLS-31): a DestinationRule of mode SIMPLE or MUTUAL. */
export function originatedTls({ host, tlsOrigination }: Destination): TransportSocket {
  return {
    name: TLS,
    typedConfig: {
      "@type": typeUrl(`${PACKAGE}.UpstreamTlsContext`),
      commonTlsContext: {},
      sni: tlsOrigination?.sni ?? host,
    },
  };
}

export const RAW_BUFFER: TransportSocket = {
  name: "envoy.transport_sockets.raw_buffer",
  typedConfig: { "@type": typeUrl("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer") },
};

function versions({ minimumTlsVersion }: Trust): object {
  return {
    tlsMinimumProtocolVersion: VERSIONS[minimumTlsVersion],
    tlsMaximumProtocolVersion: "TLSv1_3",
  };
}

function validation(matchers: readonly object[]): object {
  return {
    defaultValidationContext: {
      matchTypedSubjectAltNames: matchers.map((matcher) => ({ sanType: "URI", matcher })),
    },
    validationContextSdsSecretConfig: ROOTS,
  };
}
