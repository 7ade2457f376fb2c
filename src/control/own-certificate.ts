/**
 * A certificate that the control plane issues to itself: from whichever authority signs now, so that it always leads to a
 * root that everybody trusts, and made anew, with a new key, at half of its life.
 */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { CertificateAuthority, IssuedCertificate } from "../ca/certificate-authority.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";

/** Short, so that a machine that slept, or a clock that jumped, is noticed. */
const LOOK_AGAIN_MS = 1_000;
/** After a failure. */
const TRY_AGAIN_MS = 15_000;

export interface OwnCertificateOptions {
  readonly issuer: Watched<CertificateAuthority>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OwnCertificateRequest {
  readonly publicKey: KeyObject;
  readonly now: Date;
}

export interface HeldOwnCertificate extends IssuedCertificate {
  /** PKCS#8 PEM; it never rests anywhere. */
  readonly privateKeyPem: string;
  readonly issuedAt: Date;
}

export class OwnCertificate {
  readonly held: WatchedValue<HeldOwnCertificate>;
  readonly #options: OwnCertificateOptions;
  readonly #what: string;
  readonly #issue: (by: CertificateAuthority, request: OwnCertificateRequest) => IssuedCertificate;
  readonly #stops: readonly (() => void)[];
  #issuer: CertificateAuthority;
  /** On the monotonic clock. */
  #notBefore = 0;

  /**
   * @param what it is, for the log
   * @throws AuthorityExpiredError
   */
  constructor(
    what: string,
    options: OwnCertificateOptions,
    issue: (by: CertificateAuthority, request: OwnCertificateRequest) => IssuedCertificate,
  ) {
    this.#what = what;
    this.#options = options;
    this.#issue = issue;
    this.#issuer = options.issuer.current;
    this.held = new WatchedValue(this.#make());
    const timer = setInterval(() => this.#renewIfDue(), LOOK_AGAIN_MS).unref();
    this.#stops = [() => clearInterval(timer), options.issuer.onChange(() => this.#renewIfDue())];
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #renewIfDue(): void {
    const { issuer, clock, log } = this.#options;
    const { issuedAt, notAfter } = this.held.current;
    const half = new Date((issuedAt.getTime() + notAfter.getTime()) / 2);
    if (issuer.current === this.#issuer && clock.now() < half) return;
    if (performance.now() < this.#notBefore) return;
    try {
      this.held.set(this.#make());
      log.info(`${this.#what} was renewed`, { notAfter: this.held.current.notAfter.toISOString() });
    } catch (error) {
      this.#notBefore = performance.now() + TRY_AGAIN_MS;
      log.error(`${this.#what} was not renewed`, { problem: describeError(error) });
    }
  }

  #make(): HeldOwnCertificate {
    const issuer = this.#options.issuer.current;
    const now = this.#options.clock.now();
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const issued = this.#issue(issuer, { publicKey, now });
    this.#issuer = issuer;
    const privateKeyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    return { ...issued, privateKeyPem, issuedAt: now };
  }
}
