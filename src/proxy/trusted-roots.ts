/**
 * The roots and revocation lists of one view, ready to judge peers that were verified under an earlier one: a connection
 * may outlive the trust it was made under.
 */
import { X509Certificate } from "node:crypto";
import { revocationProblem } from "../identity/certificate-revocation.ts";
import { verifyChain } from "../identity/verify-chain.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { PresentedCertificate } from "./peer.ts";

/** Before its end: a certificate that expired on a standing connection is judged as of then. */
const LAST_VALID_MS = 1_000;

export class TrustedRoots {
  readonly pem: readonly string[];
  /** Peers are judged once: many connections show the same certificate. */
  readonly #problems = new Map<string, string | undefined>();
  readonly #revocations = new Map<string, string | undefined>();
  readonly #crlsPem: readonly string[];
  #roots: readonly X509Certificate[] | undefined;

  constructor(pem: readonly string[], crlsPem: readonly string[] = []) {
    this.pem = pem;
    this.#crlsPem = crlsPem;
  }

  /** Whether these are the roots that a peer was verified against. */
  same(pem: readonly string[]): boolean {
    return pem.length === this.pem.length && pem.every((text, index) => text === this.pem[index]);
  }

  /**
   * Why a peer's certificate leads to none of these roots; whatever cannot be judged does not.
   *
   * @returns undefined when it leads to one
   */
  problemOf({ certificateHash, chain }: PresentedCertificate, now: Date): string | undefined {
    if (!this.#problems.has(certificateHash)) {
      this.#problems.set(certificateHash, this.#judge(chain, now));
    }
    return this.#problems.get(certificateHash);
  }

  /**
   * Why a peer's certificate counts no more, though it leads to a root; a certificate of which no list tells counts
   * (CA-51). TLS finds a way to the root in whatever order the certificates were sent: only a chain that is sent in order
   * shows whom the lists are to be asked for.
   */
  revocationOf({ certificateHash, chain }: PresentedCertificate, now: Date): string | undefined {
    if (this.#crlsPem.length === 0) return undefined;
    if (!this.#revocations.has(certificateHash)) {
      const problem = this.#judge(chain, now) ?? revocationProblem(chain, this.#crlsPem, now);
      this.#revocations.set(certificateHash, problem);
    }
    return this.#revocations.get(certificateHash);
  }

  #judge(chain: readonly X509Certificate[], now: Date): string | undefined {
    const ends = chain.map(({ validTo }) => Date.parse(validTo) - LAST_VALID_MS);
    try {
      this.#roots ??= this.pem.map((pem) => new X509Certificate(pem));
      const instant = new Date(Math.min(now.getTime(), ...ends));
      verifyChain(chain, { roots: this.#roots, now: instant });
      return undefined;
    } catch (error) {
      return describeError(error);
    }
  }
}
