/**
 * The control plane's own identity, as others verify it by SPIFFE ID: from whichever authority signs now, made anew, with
 * a new key, at half of its life.
 */
import { generateKeyPairSync } from "node:crypto";
import type { CertificateAuthority } from "../ca/certificate-authority.ts";
import { type SpiffeId, spiffeId } from "../identity/spiffe-id.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";

const LIFETIME_MS = 24 * 3_600_000;
/** Short, so that a machine that slept, or a clock that jumped, is noticed. */
const LOOK_AGAIN_MS = 1_000;

export interface ControlPlaneSvidOptions {
  readonly issuer: Watched<CertificateAuthority>;
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** As istiod's own service account has it. */
export function controlPlaneIdentity(trustDomain: string): SpiffeId {
  return spiffeId({ trustDomain, namespace: "istio-system", serviceAccount: "istiod" });
}

export class ControlPlaneSvid {
  readonly svid: WatchedValue<X509Svid>;
  readonly #options: ControlPlaneSvidOptions;
  readonly #stops: readonly (() => void)[];
  #issuer: CertificateAuthority;
  #failed = false;

  /** @throws AuthorityExpiredError */
  constructor(options: ControlPlaneSvidOptions) {
    this.#options = options;
    this.#issuer = options.issuer.current;
    this.svid = new WatchedValue(issue(options));
    const timer = setInterval(() => this.#renewIfDue(), LOOK_AGAIN_MS).unref();
    this.#stops = [() => clearInterval(timer), options.issuer.onChange(() => this.#renewIfDue())];
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #renewIfDue(): void {
    const { issuer, clock, log } = this.#options;
    const { issuedAt, notAfter } = this.svid.current;
    const half = (issuedAt.getTime() + notAfter.getTime()) / 2;
    if (issuer.current === this.#issuer && clock.now().getTime() < half) return;
    try {
      const next = issue(this.#options);
      this.#issuer = issuer.current;
      this.#failed = false;
      this.svid.set(next);
    } catch (error) {
      const problem = describeError(error);
      if (!this.#failed) log.error("the control plane's own identity was not renewed", { problem });
      this.#failed = true;
    }
  }
}

/** A new key each time: it never rests anywhere. */
function issue({ issuer, trustDomain, clock }: ControlPlaneSvidOptions): X509Svid {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const id = controlPlaneIdentity(trustDomain);
  const now = clock.now();
  const { chainPem, serialNumber, notAfter } = issuer.current.issue({
    publicKey,
    id,
    lifetimeMs: LIFETIME_MS,
    now,
  });
  return {
    id,
    certificateChainPem: chainPem.join(""),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    serialNumber,
    issuedAt: now,
    notAfter,
  };
}
