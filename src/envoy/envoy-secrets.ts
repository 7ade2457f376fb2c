/**
 * The keys, certificates and authorities that an Envoy asks its agent for by name, beside the workload's own: those of
 * Secrets in its view, and files of its pod. They hold private keys: never to be logged or shown.
 */
import type { GatewayTls } from "../policy/gateway-view.ts";
import type { TlsMaterial } from "../policy/tls-origination.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { clientAuthoritiesName } from "./gateway/gateway-tls-socket.ts";
import { allDestinations } from "./outbound/outbound-clusters.ts";
import {
  authoritiesName,
  clientCertificateName,
  serverCertificateName,
} from "./secret-references.ts";

/** envoy.extensions.transport_sockets.tls.v3.Secret */
export interface EnvoySecret {
  readonly name: string;
  readonly tlsCertificate?: {
    readonly certificateChain: DataSource;
    readonly privateKey: DataSource;
  };
  readonly validationContext?: { readonly trustedCa: DataSource; readonly crl?: DataSource };
}

/** envoy.config.core.v3.DataSource */
export type DataSource = { readonly inlineString: string } | { readonly filename: string };

/** @param systemRoots a file with the authorities that the operating system trusts */
export function envoySecrets(
  view: WorkloadView,
  systemRoots: string,
): ReadonlyMap<string, EnvoySecret> {
  const servers = (view.gateway?.listeners ?? []).flatMap((listener) => listener.servers);
  const secrets = [
    ...servers.flatMap(({ tls }) => (tls === undefined ? [] : serverSecrets(tls))),
    ...allDestinations(view.outbound).flatMap(({ tlsOrigination }) =>
      tlsOrigination === undefined ? [] : clientSecrets(tlsOrigination.material, systemRoots),
    ),
  ];
  return new Map(secrets.map((secret) => [secret.name, secret]));
}

function serverSecrets(tls: GatewayTls): readonly EnvoySecret[] {
  const own = tls.certificates.map((certificate) => ({
    name: serverCertificateName(certificate),
    tlsCertificate: {
      certificateChain: { inlineString: certificate.chainPem },
      privateKey: { inlineString: certificate.keyPem },
    },
  }));
  const name = clientAuthoritiesName(tls);
  if (name === undefined || tls.clientTrust === undefined) return own;
  const { authoritiesPem, crlPem } = tls.clientTrust;
  return [
    ...own,
    {
      name,
      validationContext: {
        trustedCa: { inlineString: authoritiesPem },
        ...(crlPem !== undefined && { crl: { inlineString: crlPem } }),
      },
    },
  ];
}

function clientSecrets(material: TlsMaterial, systemRoots: string): readonly EnvoySecret[] {
  const [certificate, authorities] = [clientCertificateName(material), authoritiesName(material)];
  const sources = sourcesOf(material, systemRoots);
  return [
    ...(certificate !== undefined && sources.certificate
      ? [{ name: certificate, tlsCertificate: sources.certificate }]
      : []),
    ...(authorities !== undefined && sources.authorities
      ? [{ name: authorities, validationContext: sources.authorities }]
      : []),
  ];
}

interface Sources {
  readonly certificate?: NonNullable<EnvoySecret["tlsCertificate"]>;
  readonly authorities?: NonNullable<EnvoySecret["validationContext"]>;
}

function sourcesOf(material: TlsMaterial, systemRoots: string): Sources {
  switch (material.from) {
    case "nowhere":
      return {};
    case "secret": {
      const { caPem, crlPem, certificatePem, keyPem } = material;
      return {
        ...(certificatePem !== undefined &&
          keyPem !== undefined && {
            certificate: {
              certificateChain: { inlineString: certificatePem },
              privateKey: { inlineString: keyPem },
            },
          }),
        authorities: {
          trustedCa: { inlineString: caPem },
          ...(crlPem !== undefined && { crl: { inlineString: crlPem } }),
        },
      };
    }
    case "files": {
      const { caCertificates = systemRoots, caCrl, clientCertificate, privateKey } = material;
      return {
        ...(clientCertificate !== undefined &&
          privateKey !== undefined && {
            certificate: {
              certificateChain: { filename: clientCertificate },
              privateKey: { filename: privateKey },
            },
          }),
        authorities: {
          trustedCa: { filename: caCertificates === "system" ? systemRoots : caCertificates },
          ...(caCrl !== undefined && { crl: { filename: caCrl } }),
        },
      };
    }
  }
}
