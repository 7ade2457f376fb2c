/**
 * How one signing authority is replaced by another without a failed handshake: prepare, activate, taint, revoke, as SPIRE
 * does it, and the way back from each. The steps and states in words; `authority-ring.ts` takes them.
 */
import type { Watched } from "../runtime/watched.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";
import type { PluggedAuthority } from "./plugged-authority.ts";

/**
 * prepare: the new one's root is trusted, it signs nothing yet. activate: it signs, the former one is still trusted.
 * taint: whoever has a certificate of the former one renews it now. revoke: the former one is trusted no more.
 * rollback: the way back to the former one, from each of the first three; activate is the way forward again.
 */
export type RotationStep = "prepare" | "activate" | "taint" | "revoke" | "rollback";

/** At most one is prepared, exactly one is active, and at most one is retiring or tainted. */
export type AuthorityState = "prepared" | "active" | "retiring" | "tainted";

/** For people and JSON; no keys. */
export interface AuthorityStatus {
  /** The first 16 characters of the certificate's SHA-256, lower-case hexadecimal. */
  readonly id: string;
  /** Its subject key identifier, lower-case hexadecimal: certificates that it signed name it (RFC 5280, 4.2.1.1). */
  readonly keyIdentifier: string;
  readonly state: AuthorityState;
  readonly origin: "self-signed" | "custom";
  /** When it came into this state. */
  readonly since: Date;
  readonly subject: string;
  readonly issuer: string;
  /** `ECDSA P-256`, `RSA 4096`. */
  readonly keyAlgorithm: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The earliest end of it and of those above it up to the root. */
  readonly chainNotAfter: Date;
  /** What a strict verifier would refuse in it (RFC 5280), in words; empty for our own. */
  readonly weaknesses: readonly string[];
  /** What its own revocation lists say against it, in words: peers refuse what it signs (CA-50). */
  readonly revoked?: string;
  /** That it was given up before, and an older copy of the authorities brought it back, in words. */
  readonly returned?: string;
}

/** What all sidecars are told to trust. */
export interface AuthorityTrust {
  /** PEM, each root once: those of every authority that is held. */
  readonly rootsPem: readonly string[];
  /** Subject key identifiers, lower-case hexadecimal, of authorities whose certificates must be renewed now. */
  readonly taintedAuthorities: readonly string[];
  /** PEM; of plugged authorities that bring them (CA-50). */
  readonly crlsPem: readonly string[];
}

/** A step that cannot be taken in this state, in words; nothing has changed. */
export interface RotationRefusal {
  readonly refused: string;
}

/**
 * Every change is on disk, fsynced, before it counts: a process that is killed in between comes back in the state before
 * or after, never between.
 */
export interface AuthorityRing {
  readonly issuer: Watched<CertificateAuthority>;
  readonly trust: Watched<AuthorityTrust>;
  /** Active first. */
  status(): readonly AuthorityStatus[];
  /** The last steps, oldest first. */
  history(): readonly {
    readonly at: Date;
    readonly step: RotationStep;
    readonly authority: string;
    readonly forced: boolean;
  }[];
  /** "self-signed": a new one is made, with a key of its own. */
  prepare(authority: PluggedAuthority | "self-signed"): Promise<AuthorityStatus | RotationRefusal>;
  /**
   * @param options.forced only written down: who calls has checked that all sidecars are ready
   * @param options.revoked "set aside": nobody trusts it any more, but its key stays; absent: it is deleted
   */
  take(
    step: Exclude<RotationStep, "prepare">,
    options: {
      readonly forced: boolean;
      readonly revoked?: "given up" | "set aside" | undefined;
    },
  ): Promise<AuthorityStatus | RotationRefusal>;
}
