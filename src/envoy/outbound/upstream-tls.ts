/** How a cluster's connections are protected: by the mesh, by TLS of others, or not at all. */
import { isIP } from "node:net";
import type { TlsOrigination } from "../../policy/tls-origination.ts";
import type { Destination, Trust } from "../../policy/workload-view.ts";
import type { TransportSocket } from "../envoy-json.ts";
import {
  authoritiesName,
  clientCertificateName,
  MESH_ROOTS,
  OWN_CERTIFICATE,
  secretReference,
} from "../secret-references.ts";
import {
  nameMatcher,
  RAW_BUFFER,
  tlsSocket,
  tlsVersions,
  trustDomainMatchers,
} from "../tls-parameters.ts";
import type { ClusterTerms } from "./traffic-policy-terms.ts";
import { type UpstreamVersion, upstreamVersion } from "./upstream-http.ts";

/** How Istio marks endpoints that speak mutual TLS (TLS-20). */
export const TLS_MODE: Readonly<Record<string, string>> = { tlsMode: "istio" };

/**
 * TLS-35. Istio's Envoys say it request by request, by a filter that others lack: here a cluster whose version is known
 * says it itself. `istio-peer-exchange` is left out: it would promise metadata frames that nobody sends.
 */
const MESH_PROTOCOLS: Readonly<Record<UpstreamVersion | "tcp", readonly string[]>> = {
  "HTTP/1.1": ["istio-http/1.1", "istio", "http/1.1"],
  "HTTP/2": ["istio-h2", "istio", "h2"],
  "client's": ["istio"],
  tcp: ["istio"],
};

/** A session that is taken up again is not verified again: an authority may have gone meanwhile. */
const NO_RESUMPTION = 0;

/** Of a server outside the mesh that is spoken to in HTTP/2: it must agree to it. */
const HTTP_2_ONLY = ["h2"];

/** @param endpoints whether those of the cluster say for themselves what they speak */
export function upstreamTransport(
  destination: Destination,
  trust: Trust,
  endpoints: "known" | "unknown",
): ClusterTerms {
  const { clientTls, tlsOrigination } = destination;
  if (tlsOrigination !== undefined) {
    return { transportSocket: originatedTls(destination, tlsOrigination) };
  }
  if (clientTls?.mode === "ISTIO_MUTUAL") return { transportSocket: meshTls(destination, trust) };
  if (clientTls !== undefined || endpoints === "unknown") return {};
  return {
    transportSocketMatches: [
      { name: "tlsMode-istio", match: TLS_MODE, transportSocket: meshTls(destination, trust) },
      { name: "tlsMode-disabled", match: {}, transportSocket: RAW_BUFFER },
    ],
  };
}

/** TLS-33, TLS-34. Where nobody is named, anybody of the trust domain may be the callee (QK-29). */
function meshTls(destination: Destination, trust: Trust): TransportSocket {
  const { identities, serverName, protocol } = destination;
  const matchers = identities.length > 0 ? identities.map(nameMatcher) : trustDomainMatchers(trust);
  return tlsSocket("UpstreamTlsContext", {
    commonTlsContext: {
      tlsParams: tlsVersions(trust.minimumTlsVersion),
      alpnProtocols: MESH_PROTOCOLS[protocol === "tcp" ? "tcp" : upstreamVersion(destination)],
      tlsCertificateSdsSecretConfigs: [secretReference(OWN_CERTIFICATE)],
      combinedValidationContext: {
        defaultValidationContext: { matchTypedSubjectAltNames: matchers },
        validationContextSdsSecretConfig: secretReference(MESH_ROOTS),
      },
    },
    sni: serverName,
    maxSessionKeys: NO_RESUMPTION,
  });
}

/** TLS-36..TLS-38 */
function originatedTls(destination: Destination, origination: TlsOrigination): TransportSocket {
  const { host } = destination;
  const { mode, sni = host, material } = origination;
  const certificate = mode === "MUTUAL" ? clientCertificateName(material) : undefined;
  return tlsSocket("UpstreamTlsContext", {
    commonTlsContext: {
      tlsParams: tlsVersions("TLSv1.2"),
      ...(upstreamVersion(destination) === "HTTP/2" && { alpnProtocols: HTTP_2_ONLY }),
      ...(certificate !== undefined && {
        tlsCertificateSdsSecretConfigs: [secretReference(certificate)],
      }),
      ...serverValidation(destination, origination),
    },
    // An address is no server name (RFC 6066 section 3), nor is a wildcard.
    ...(isIP(sni) === 0 && !sni.startsWith("*") && { sni }),
    maxSessionKeys: NO_RESUMPTION,
  });
}

function serverValidation(
  { host }: Destination,
  { verification, subjectAltNames, material }: TlsOrigination,
): object {
  const authorities = authoritiesName(material);
  if (verification === "nothing" || authorities === undefined) return {};
  const called = host.startsWith("*") ? [] : [host];
  const names = verification === "authority" ? [] : (subjectAltNames ?? called);
  return {
    combinedValidationContext: {
      defaultValidationContext: {
        ...(names.length > 0 && { matchTypedSubjectAltNames: names.map(nameMatcher) }),
      },
      validationContextSdsSecretConfig: secretReference(authorities),
    },
  };
}

/** Whether nobody may be called, as there is nothing to prove who is called, or who calls (TLS-39, TLS-43). */
export function isWithoutMaterial({ tlsOrigination }: Destination): boolean {
  if (tlsOrigination === undefined) return false;
  const { mode, material } = tlsOrigination;
  if (material.from === "nowhere") return true;
  if (mode !== "MUTUAL") return false;
  return material.from === "secret"
    ? material.certificatePem === undefined || material.keyPem === undefined
    : clientCertificateName(material) === undefined;
}
