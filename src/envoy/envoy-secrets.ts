/**
 * The keys, certificates and authorities that an Envoy asks its agent for by name, beside the workload's own: those of
 * Secrets in its view, and files of its pod. They hold private keys: never to be logged or shown.
 */
import type { GatewayTls } from "../policy/gateway-view.ts";
import type { TlsMaterial } from "../policy/tls-origination.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { PemSource, Secret } from "../wire/secret-discovery.ts";
import { clientAuthoritiesName } from "./gateway/gateway-tls-socket.ts";
import { allDestinations } from "./outbound/outbound-clusters.ts";
import {
  authoritiesName,
  clientCertificateName,
  SYSTEM_ROOTS,
  serverCertificateName,
} from "./secret-references.ts";

/** @param systemRoots a file with the authorities that the operating system trusts */
export function envoySecrets(view: WorkloadView, systemRoots: string): ReadonlyMap<string, Secret> {
  const servers = (view.gateway?.listeners ?? []).flatMap((listener) => listener.servers);
  const secrets = [
    ...servers.flatMap(({ tls }) => (tls === undefined ? [] : serverSecrets(tls))),
    ...allDestinations(view.outbound).flatMap(({ tlsOrigination }) =>
      tlsOrigination === undefined ? [] : clientSecrets(tlsOrigination.material, systemRoots),
    ),
  ];
  return new Map(secrets.map((secret) => [secret.name, secret]));
}

function serverSecrets(tls: GatewayTls): readonly Secret[] {
  const own = tls.certificates.map(
    (certificate): Secret => ({
      name: serverCertificateName(certificate),
      kind: "certificate",
      chainPem: certificate.chainPem,
      privateKeyPem: certificate.keyPem,
    }),
  );
  const name = clientAuthoritiesName(tls);
  if (name === undefined || tls.clientTrust === undefined) return own;
  const { authoritiesPem: rootsPem, crlPem: crlsPem = "" } = tls.clientTrust;
  return [...own, { name, kind: "trust", rootsPem, crlsPem }];
}

function clientSecrets(material: TlsMaterial, systemRoots: string): readonly Secret[] {
  const [certificate, authorities] = [clientCertificateName(material), authoritiesName(material)];
  const { chainPem, privateKeyPem, rootsPem, crlsPem = "" } = sourcesOf(material, systemRoots);
  return [
    ...(certificate !== undefined && chainPem !== undefined && privateKeyPem !== undefined
      ? [{ name: certificate, kind: "certificate", chainPem, privateKeyPem } as const]
      : []),
    ...(authorities !== undefined && rootsPem !== undefined
      ? [{ name: authorities, kind: "trust", rootsPem, crlsPem } as const]
      : []),
  ];
}

interface Sources {
  readonly chainPem?: PemSource;
  readonly privateKeyPem?: PemSource;
  readonly rootsPem?: PemSource;
  readonly crlsPem?: PemSource;
}

function sourcesOf(material: TlsMaterial, systemRoots: string): Sources {
  switch (material.from) {
    case "nowhere":
      return {};
    case "secret": {
      const { caPem: rootsPem, crlPem, certificatePem, keyPem } = material;
      return {
        ...(certificatePem !== undefined && { chainPem: certificatePem }),
        ...(keyPem !== undefined && { privateKeyPem: keyPem }),
        rootsPem,
        ...(crlPem !== undefined && { crlsPem: crlPem }),
      };
    }
    case "files": {
      const { caCertificates = SYSTEM_ROOTS, caCrl, clientCertificate, privateKey } = material;
      return {
        ...(clientCertificate !== undefined && { chainPem: { file: clientCertificate } }),
        ...(privateKey !== undefined && { privateKeyPem: { file: privateKey } }),
        rootsPem: { file: caCertificates === SYSTEM_ROOTS ? systemRoots : caCertificates },
        ...(caCrl !== undefined && { crlsPem: { file: caCrl } }),
      };
    }
  }
}
