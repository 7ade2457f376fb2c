/**
 * How a client's proxy speaks TLS to a destination with certificates that are not the mesh's: `tls` of a DestinationRule
 * in mode SIMPLE or MUTUAL (TLS-31, TLS-37..TLS-39). Plain data, fit for a view.
 */

export interface TlsOrigination {
  readonly mode: "SIMPLE" | "MUTUAL";
  /** Absent: the host that is called. */
  readonly sni?: string;
  /** One of them must be in the callee's certificate; absent: what `verification` says. */
  readonly subjectAltNames?: readonly string[];
  /**
   * "name": the certificate must lead to a trusted authority, and hold one of `subjectAltNames` or, without any, the host
   * that is called. "authority": any certificate of such an authority, since the rule has a server name of its own, and
   * no `subjectAltNames` (TLS-37). "nothing": `insecureSkipVerify`.
   */
  readonly verification: "name" | "authority" | "nothing";
  readonly material: TlsMaterial;
}

/** Where certificates come from. */
export type TlsMaterial =
  /** Of the machine, as the sidecar's process sees it: looked at again and again. */
  | {
      readonly from: "files";
      /** Absent: whom the operating system trusts. */
      readonly caCertificates?: string;
      readonly caCrl?: string;
      readonly clientCertificate?: string;
      readonly privateKey?: string;
    }
  /** Of a Secret, in PEM; only in the views of those that may have it. */
  | {
      readonly from: "secret";
      /** `namespace/name` */
      readonly name: string;
      readonly caPem: string;
      readonly crlPem?: string;
      readonly certificatePem?: string;
      readonly keyPem?: string;
    }
  /** Nobody is called without: every connection fails, and says why (TLS-39). */
  | { readonly from: "nowhere"; readonly problem: string };
