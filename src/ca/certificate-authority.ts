/** Signs certificates for identities that others have authenticated. Holds the key; decides nothing about callers. */
import { type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { serialNumberText } from "../identity/serial-number.ts";
import {
  type AlternativeNames,
  type CertificateTemplate,
  type Issuer,
  issuerOf,
  signLeafCertificate,
  signLeafCertificateOffLoop,
} from "../identity/sign-certificate.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { endOfChain, findChain } from "./authority-chain.ts";
import { grantedValidity } from "./issuing-rules.ts";

const SERIAL_BYTES = 16;
const ID_CHARACTERS = 16;
/** Longest common name (RFC 5280 appendix A). */
const MAX_COMMON_NAME = 64;

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

/** What to certify: a workload's key, under its identity. */
export interface WorkloadCertificateRequest {
  /** From a request whose signature was verified. */
  readonly publicKey: KeyObject;
  readonly id: SpiffeId;
  readonly lifetimeMs: number;
  readonly now: Date;
  /** "identity" where the request has a common name: then the subject is the identity, if that is short enough (CA-8). */
  readonly commonName?: "none" | "identity";
}

export class CertificateAuthority {
  /** The first 16 characters of the certificate's SHA-256, lower-case hexadecimal. */
  readonly id: string;
  readonly certificate: X509Certificate;
  readonly rootsPem: readonly string[];
  /** The earliest end of the signing certificate and of those above it up to the root: no certificate outlives it. */
  readonly chainNotAfter: Date;
  readonly #issuer: Issuer;
  readonly #intermediatesPem: readonly string[];
  readonly #random: (bytes: number) => Uint8Array;

  /**
   * @throws UnusableAuthorityError if the certificate is no authority's, or the key is another's
   * @throws UnusableIssuerError if the certificate is no strict DER
   * @throws UnsupportedSigningKeyError if the key is neither P-256, P-384 nor RSA
   */
  constructor(options: CertificateAuthorityOptions) {
    this.certificate = new X509Certificate(options.certificatePem);
    if (!this.certificate.ca) throw new UnusableAuthorityError("the certificate is not a CA's");
    if (!this.certificate.checkPrivateKey(options.privateKey))
      throw new UnusableAuthorityError("the private key does not belong to the CA certificate");
    this.id = this.certificate.fingerprint256
      .replaceAll(":", "")
      .toLowerCase()
      .slice(0, ID_CHARACTERS);
    this.rootsPem = options.rootsPem;
    this.#issuer = issuerOf(this.certificate, options.privateKey);
    this.#intermediatesPem = options.intermediatesPem ?? [];
    const intermediates = this.#intermediatesPem.map((pem) => new X509Certificate(pem));
    const roots = options.rootsPem.map((pem) => new X509Certificate(pem));
    const chain = findChain(this.certificate, { intermediates, roots });
    this.chainNotAfter = endOfChain(chain ?? [this.certificate, ...intermediates]).at;
    this.#random = options.random ?? randomBytes;
  }

  /** Of the signing certificate alone. */
  get notAfter(): Date {
    return new Date(this.certificate.validTo);
  }

  /**
   * A workload's certificate: the identity as its only name (CA-8, CA-15, CA-16).
   *
   * @throws AuthorityExpiredError (CA-10)
   */
  issue(request: WorkloadCertificateRequest): IssuedCertificate {
    const template = this.#workloadTemplate(request);
    return this.#issued(template, signLeafCertificate(template, this.#issuer));
  }

  /**
   * As `issue`; a signature that takes long is made in the thread pool while the event loop goes on.
   *
   * @throws AuthorityExpiredError (CA-10)
   */
  async issueOffLoop(request: WorkloadCertificateRequest): Promise<IssuedCertificate> {
    const template = this.#workloadTemplate(request);
    return this.#issued(template, await signLeafCertificateOffLoop(template, this.#issuer));
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
    const template = this.#template(request, { uris: [], dnsNames, ipAddresses });
    return this.#issued(template, signLeafCertificate(template, this.#issuer));
  }

  #workloadTemplate(request: WorkloadCertificateRequest): CertificateTemplate {
    const { id, commonName } = request;
    const template = this.#template(request, { uris: [id], dnsNames: [], ipAddresses: [] });
    const hasName = commonName === "identity" && id.length <= MAX_COMMON_NAME;
    return hasName ? { ...template, commonName: id } : template;
  }

  #template(
    request: { readonly publicKey: KeyObject; readonly lifetimeMs: number; readonly now: Date },
    names: AlternativeNames,
  ): CertificateTemplate {
    const validity = grantedValidity({
      now: request.now,
      lifetimeMs: request.lifetimeMs,
      issuerNotBefore: new Date(this.certificate.validFrom),
      issuerNotAfter: this.chainNotAfter,
    });
    const serialNumber = this.#random(SERIAL_BYTES);
    return { publicKey: request.publicKey, names, serialNumber, ...validity };
  }

  #issued(template: CertificateTemplate, certificatePem: string): IssuedCertificate {
    return {
      certificatePem,
      chainPem: [certificatePem, ...this.#intermediatesPem],
      serialNumber: serialNumberText(template.serialNumber),
      notBefore: template.notBefore,
      notAfter: template.notAfter,
    };
  }
}
