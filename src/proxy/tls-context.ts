/** TLS settings of both ends of a mesh connection, made from our certificate and the mesh's roots. */
import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { Trust } from "../policy/workload-view.ts";
import { TLS_GROUPS } from "../runtime/tls-groups.ts";

export interface MeshCredentials {
  readonly svid: X509Svid;
  readonly trust: Trust;
}

/** Forward-secret suites with authenticated encryption: those of TLS 1.3, then those of TLS-11. */
export const TLS_1_3_CIPHERS: readonly string[] = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
];
export const TLS_CIPHERS: string = [
  ...TLS_1_3_CIPHERS,
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
].join(":");

/**
 * For the inbound side. Without tickets and renegotiation every connection stands on its own verified handshake
 * (TLS-10).
 */
export function serverContextOptions({ svid, trust }: MeshCredentials): SecureContextOptions {
  return {
    ...credentials({ svid, trust }),
    minVersion: trust.minimumTlsVersion,
    maxVersion: "TLSv1.3",
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** For the outbound side: the mesh's minimum does not apply to it (TLS-36). */
export function clientContextOptions({ svid, trust }: MeshCredentials): SecureContextOptions {
  return { ...credentials({ svid, trust }), minVersion: "TLSv1.2", maxVersion: "TLSv1.3" };
}

function credentials({ svid, trust }: MeshCredentials): SecureContextOptions {
  return {
    cert: svid.certificateChainPem,
    key: svid.privateKeyPem,
    ca: [...trust.rootsPem],
    ciphers: TLS_CIPHERS,
    ecdhCurve: TLS_GROUPS,
  };
}
