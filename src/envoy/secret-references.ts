/** By which names an Envoy asks its agent for keys, certificates and authorities: Istio's names, where it has any. */
import type { ServerCertificate } from "../policy/gateway-view.ts";
import type { TlsMaterial } from "../policy/tls-origination.ts";

/** The workload's own certificate, and the roots that it trusts. */
export const OWN_CERTIFICATE = "default";
export const MESH_ROOTS = "ROOTCA";

/** Whom the operating system trusts. */
export const SYSTEM_ROOTS = "system";

/** envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig */
export interface SecretReference {
  readonly name: string;
  readonly sdsConfig: object;
}

const BY_AGENT: object = {
  apiConfigSource: {
    apiType: "GRPC",
    transportApiVersion: "V3",
    grpcServices: [{ envoyGrpc: { clusterName: "sds-grpc" } }],
  },
  resourceApiVersion: "V3",
};

export function secretReference(name: string): SecretReference {
  return { name, sdsConfig: BY_AGENT };
}

export function serverCertificateName({ origin: { ref } }: ServerCertificate): string {
  return `kubernetes://${ref.namespace}/${ref.name}`;
}

/** Of TLS to others; undefined where there is nothing to present, or nobody can be called. */
export function clientCertificateName(material: TlsMaterial): string | undefined {
  switch (material.from) {
    case "secret":
      return `kubernetes://${material.name}`;
    case "files": {
      const { clientCertificate, privateKey } = material;
      if (clientCertificate === undefined || privateKey === undefined) return undefined;
      return `file-cert:${clientCertificate}~${privateKey}`;
    }
    case "nowhere":
      return undefined;
  }
}

/** A revocation list belongs to the name: two rules may trust one file, and only one of them know who is revoked. */
export function authoritiesName(material: TlsMaterial): string | undefined {
  switch (material.from) {
    case "secret":
      return `kubernetes://${material.name}-cacert`;
    case "files": {
      const { caCertificates = SYSTEM_ROOTS, caCrl } = material;
      return `file-root:${caCertificates}${caCrl === undefined ? "" : `~${caCrl}`}`;
    }
    case "nowhere":
      return undefined;
  }
}
