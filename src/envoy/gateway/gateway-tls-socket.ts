/** TLS as a server of a Gateway speaks it with its clients. */
import { CIPHER_SUITES } from "../../api/webhook/server-tls-settings.ts";
import type { CallerDemands, GatewayServer, GatewayTls } from "../../policy/gateway-view.ts";
import type { Trust } from "../../policy/workload-view.ts";
import type { TransportSocket } from "../envoy-json.ts";
import { fingerprint } from "../fingerprint.ts";
import {
  MESH_ROOTS,
  OWN_CERTIFICATE,
  type SecretReference,
  secretReference,
  serverCertificateName,
} from "../secret-references.ts";
import { nameMatcher, tlsSocket, tlsVersions, trustDomainMatchers } from "../tls-parameters.ts";

/** Those of BoringSSL: Envoy refuses a whole listener for a name that it does not know. */
const SUITES: ReadonlySet<string> = new Set(
  [...CIPHER_SUITES].filter((name) => name !== "DES-CBC3-SHA"),
);
const CURVES: ReadonlySet<string> = new Set([
  "P-256",
  "P-384",
  "P-521",
  "X25519",
  "X25519MLKEM768",
]);

/** Whether TLS is taken off here at all. */
export function isEnded({ mode }: GatewayTls): boolean {
  return mode !== "PASSTHROUGH" && mode !== "AUTO_PASSTHROUGH";
}

/** Whether no handshake can be served: there is no certificate, or nothing that both ends could agree on. */
export function isUnservable(tls: GatewayTls): boolean {
  if (tls.problem !== undefined) return true;
  if (!isEnded(tls)) return false;
  if (tls.mode !== "ISTIO_MUTUAL" && tls.certificates.length === 0) return true;
  if (tls.minVersion === "TLSv1.3" && tls.maxVersion === "TLSv1.2") return true;
  return isNoneOf(tls.cipherSuites, SUITES) || isNoneOf(tls.ecdhCurves, CURVES);
}

export function gatewayTlsSocket(
  tls: GatewayTls,
  { traffic }: Pick<GatewayServer, "traffic">,
  trust: Trust,
): TransportSocket {
  const suites = tls.cipherSuites.filter((name) => SUITES.has(name));
  const curves = tls.ecdhCurves.filter((name) => CURVES.has(name));
  const isOfMesh = tls.mode === "ISTIO_MUTUAL";
  const certificates = isOfMesh ? [OWN_CERTIFICATE] : tls.certificates.map(serverCertificateName);
  return tlsSocket("DownstreamTlsContext", {
    commonTlsContext: {
      tlsParams: {
        ...tlsVersions(tls.minVersion, tls.maxVersion),
        ...(suites.length > 0 && { cipherSuites: suites }),
        ...(curves.length > 0 && { ecdhCurves: curves }),
      },
      ...(traffic.is === "http" && { alpnProtocols: ["h2", "http/1.1"] }),
      tlsCertificateSdsSecretConfigs: certificates.map(secretReference),
      ...(isOfMesh ? meshValidation(tls, trust) : clientValidation(tls)),
    },
    requireClientCertificate: tls.mode === "MUTUAL" || isOfMesh,
    // A session that is resumed is not verified again, whoever is believed meanwhile.
    disableStatelessSessionResumption: true,
    disableStatefulSessionResumption: true,
  });
}

/** By what is in them: two servers with one certificate may believe different clients. */
export function clientAuthoritiesName({ clientTrust }: GatewayTls): string | undefined {
  if (clientTrust === undefined) return undefined;
  const { authoritiesPem, crlPem = "" } = clientTrust;
  return `client-authorities:${fingerprint([authoritiesPem, crlPem])}`;
}

function clientValidation(tls: GatewayTls): object {
  const authorities = clientAuthoritiesName(tls);
  if (authorities === undefined || tls.clientTrust === undefined) return {};
  return validation(demandsOf(tls.clientTrust), secretReference(authorities));
}

/** Of a caller with demands on its names one of them must be an identity of the mesh, too. */
function meshValidation({ callers }: GatewayTls, trust: Trust): object {
  const prefixes = trustDomainMatchers(trust);
  const { subjectAltNames = [], ...others } = callers ?? {};
  const domains = [trust.trustDomain, ...trust.trustDomainAliases];
  const named = subjectAltNames.filter((name) =>
    domains.some((domain) => name.startsWith(`spiffe://${domain}/`)),
  );
  const matchers =
    subjectAltNames.length === 0
      ? prefixes
      : (named.length > 0 ? named : [NOBODY]).map(nameMatcher);
  return validation(
    {
      ...demandsOf({ certificateHashes: [], publicKeyHashes: [], ...others, subjectAltNames: [] }),
      matchTypedSubjectAltNames: matchers,
    },
    secretReference(MESH_ROOTS),
  );
}

/** No certificate has such a name. */
const NOBODY = "spiffe://";

function validation(demands: object, authorities: SecretReference): object {
  return {
    combinedValidationContext: {
      defaultValidationContext: demands,
      validationContextSdsSecretConfig: authorities,
    },
  };
}

/** envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext */
function demandsOf({ subjectAltNames, certificateHashes, publicKeyHashes }: CallerDemands): object {
  return {
    ...(subjectAltNames.length > 0 && {
      matchTypedSubjectAltNames: subjectAltNames.map(nameMatcher),
    }),
    ...(certificateHashes.length > 0 && { verifyCertificateHash: certificateHashes }),
    ...(publicKeyHashes.length > 0 && { verifyCertificateSpki: publicKeyHashes }),
  };
}

function isNoneOf(written: readonly string[], known: ReadonlySet<string>): boolean {
  return written.length > 0 && !written.some((name) => known.has(name));
}
