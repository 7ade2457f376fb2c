/** A workload's own certificate as the newest trust sees it. Pure: `WorkloadIdentity` acts on what this finds. */
import { X509Certificate } from "node:crypto";
import { describeError } from "../runtime/hauberk-error.ts";
import { revocationProblem } from "./certificate-revocation.ts";
import { issuerKeyId } from "./issuer-key-id.ts";
import { readCertificates } from "./read-certificates.ts";
import { verifyChain } from "./verify-chain.ts";
import type { X509Svid } from "./x509-svid.ts";

/** What a workload is told of authorities. `WorkloadView`'s `trust` has this shape. */
export interface KnownAuthorities {
  /** PEM of every trusted root. */
  readonly rootsPem: readonly string[];
  /** Subject key identifiers, lower-case hexadecimal, of those that are being replaced. */
  readonly taintedAuthorities?: readonly string[];
  /** PEM; one revocation list each (CA-50). */
  readonly crlsPem?: readonly string[];
}

export class HeldCertificate {
  readonly svid: X509Svid;
  readonly #chain: readonly X509Certificate[];
  readonly #issuer: string | undefined;
  readonly #from: number;

  /** @throws InvalidPemError, InvalidDerError for a chain that cannot be read */
  constructor(svid: X509Svid) {
    this.svid = svid;
    this.#chain = readCertificates(svid.certificateChainPem).map(({ certificate }) => certificate);
    const [leaf] = this.#chain;
    this.#issuer = leaf && issuerKeyId(leaf);
    this.#from = leaf === undefined ? 0 : Date.parse(leaf.validFrom);
  }

  /** Whether peers would take it now, as far as time is concerned. */
  isValidAt(now: Date): boolean {
    return now.getTime() >= this.#from && now < this.svid.notAfter;
  }

  /** Why another one is needed at once, whatever its age; undefined: it is not. */
  problem(now: Date, authorities: KnownAuthorities | undefined): string | undefined {
    if (now >= this.svid.notAfter) return "it has expired";
    if (now.getTime() < this.#from) return "it is not valid yet: the clock was set back";
    if (authorities === undefined) return undefined;
    const { taintedAuthorities = [], rootsPem, crlsPem = [] } = authorities;
    if (this.#issuer !== undefined && taintedAuthorities.includes(this.#issuer))
      return "its authority is being replaced";
    return this.#untrusted(rootsPem, now) ?? revocationProblem(this.#chain, crlsPem, now);
  }

  #untrusted(rootsPem: readonly string[], now: Date): string | undefined {
    try {
      const roots = rootsPem.map((pem) => new X509Certificate(pem));
      verifyChain(this.#chain, { roots, now });
      return undefined;
    } catch (error) {
      return `the mesh does not trust it: ${describeError(error)}`;
    }
  }
}
