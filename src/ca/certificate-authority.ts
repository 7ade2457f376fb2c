/** Signs certificates for identities that others have authenticated. Holds the key; decides nothing about callers. */
import { type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import {
  type AlternativeNames,
  type Issuer,
  issuerOf,
  signLeafCertificate,
} from "../identity/sign-certificate.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { grantedValidity } from "./issuing-rules.ts";

const SERIAL_BYTES = 16;

/** The signing certificate is no authority's, or the key is another's. */
export class UnusableAuthorityError extends HauberkError {
  readonly code = "HAUBERK_UNUSABLE_AUTHORITY";
}

export interface CertificateAuthorityOptions {
  /** PEM of the signing certificate. */
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
  /** PEM of every root that peers trust; the signing certificate itself when it is self-signed. */
  readonly rootsPem: readonly string[];
  /** PEM of the certificates between leaf and root, the signing certificate first; empty when it is the root. */
  readonly intermediatesPem?: readonly string[];
  /** Bytes for serial numbers. */
  readonly random?: (bytes: number) => Uint8Array;
}

export interface IssuedCertificate {
  readonly certificatePem: string;
  /** PEM, leaf first, then intermediates; without the root. */
  readonly chainPem: readonly string[];
  /** Upper-case hexadecimal. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export class CertificateAuthority {
  readonly certificate: X509Certificate;
  readonly rootsPem: readonly string[];
  readonly #issuer: Issuer;
  readonly #intermediatesPem: readonly string[];
  readonly #random: (bytes: number) => Uint8Array;

  /**
   * @throws UnusableAuthorityError if the certificate is no authority's, or the key is another's
   * @throws UnusableIssuerError if the certificate's name has an encoding that is not supported
   */
  constructor(options: CertificateAuthorityOptions) {
    this.certificate = new X509Certificate(options.certificatePem);
    if (!this.certificate.ca) throw new UnusableAuthorityError("the certificate is not a CA's");
    if (!this.certificate.checkPrivateKey(options.privateKey))
      throw new UnusableAuthorityError("the private key does not belong to the CA certificate");
    this.rootsPem = options.rootsPem;
    this.#issuer = issuerOf(this.certificate, options.privateKey);
    this.#intermediatesPem = options.intermediatesPem ?? [];
    this.#random = options.random ?? randomBytes;
  }

  get notAfter(): Date {
    return new Date(this.certificate.validTo);
  }

  /**
   * A workload's certificate: the identity as its only name (CA-8, CA-15, CA-16).
   *
   * @param request.publicKey from a request whose signature was verified
   * @throws AuthorityExpiredError (CA-10)
   */
  issue(request: {
    readonly publicKey: KeyObject;
    readonly id: SpiffeId;
    readonly lifetimeMs: number;
    readonly now: Date;
  }): IssuedCertificate {
    return this.#sign({ ...request, names: { uris: [request.id], dnsNames: [], ipAddresses: [] } });
  }

  /**
   * The control plane's own serving certificate (CA-21).
   *
   * @throws AuthorityExpiredError (CA-10)
   */
  issueServer(request: {
    readonly publicKey: KeyObject;
    readonly dnsNames: readonly string[];
    readonly ipAddresses: readonly string[];
    readonly lifetimeMs: number;
    readonly now: Date;
  }): IssuedCertificate {
    const { dnsNames, ipAddresses } = request;
    return this.#sign({ ...request, names: { uris: [], dnsNames, ipAddresses } });
  }

  #sign(request: {
    readonly publicKey: KeyObject;
    readonly names: AlternativeNames;
    readonly lifetimeMs: number;
    readonly now: Date;
  }): IssuedCertificate {
    const validity = grantedValidity({
      now: request.now,
      lifetimeMs: request.lifetimeMs,
      issuerNotBefore: new Date(this.certificate.validFrom),
      issuerNotAfter: this.notAfter,
    });
    const certificatePem = signLeafCertificate(
      {
        publicKey: request.publicKey,
        names: request.names,
        serialNumber: this.#random(SERIAL_BYTES),
        ...validity,
      },
      this.#issuer,
    );
    return {
      certificatePem,
      chainPem: [certificatePem, ...this.#intermediatesPem],
      serialNumber: new X509Certificate(certificatePem).serialNumber,
      ...validity,
    };
  }
}
