/** TLS of the mesh as callers meet it: a certificate is demanded of them, and what they say is taken off (TLS-1..TLS-13). */
import type { Trust } from "../../policy/workload-view.ts";
import { duration, type TransportSocket } from "../envoy-json.ts";
import { remembered } from "../remembered.ts";
import { MESH_ROOTS, OWN_CERTIFICATE, secretReference } from "../secret-references.ts";
import { tlsSocket, tlsVersions, trustDomainMatchers } from "../tls-parameters.ts";

/** For a whole handshake. */
export const HANDSHAKE_TIMEOUT: string = duration(10_000);

/** Under TLS 1.2, those whose key is forgotten when the connection ends. */
const CIPHER_SUITES = [
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
];

/**
 * What is chosen of a caller's protocols. Where bytes are carried as they come it is what says the least:
 * `istio-peer-exchange` would promise frames of metadata, which nobody here reads.
 */
const CHOSEN_PROTOCOLS = { http: ["h2", "http/1.1"], tcp: ["http/1.1"] } as const;

export function downstreamTls(trust: Trust, level: "http" | "tcp"): TransportSocket {
  return sockets(trust)[level];
}

const sockets = remembered((trust: Trust) => ({
  http: socket(trust, "http"),
  tcp: socket(trust, "tcp"),
}));

function socket(trust: Trust, level: "http" | "tcp"): TransportSocket {
  return tlsSocket("DownstreamTlsContext", {
    commonTlsContext: {
      tlsParams: { ...tlsVersions(trust.minimumTlsVersion), cipherSuites: CIPHER_SUITES },
      alpnProtocols: CHOSEN_PROTOCOLS[level],
      tlsCertificateSdsSecretConfigs: [secretReference(OWN_CERTIFICATE)],
      combinedValidationContext: {
        defaultValidationContext: { matchTypedSubjectAltNames: trustDomainMatchers(trust) },
        validationContextSdsSecretConfig: secretReference(MESH_ROOTS),
      },
    },
    requireClientCertificate: true,
    // A session that is resumed is not verified again, whoever is believed meanwhile.
    disableStatelessSessionResumption: true,
    disableStatefulSessionResumption: true,
  });
}
