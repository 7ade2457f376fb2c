/**
 * The control plane's own certificate over time (CA-21): from whichever authority signs now, so that it always leads to a
 * root that every sidecar trusts, and made anew, with a new key, at half of its life.
 */
import { generateKeyPairSync } from "node:crypto";
import type { CertificateAuthority } from "../ca/certificate-authority.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import type { ServerIdentity } from "../wire/secure-grpc-server.ts";

/** `CITADEL_SELF_SIGNED_CA_CERT_TTL`; the authority's own end clamps it (CA-21). */
const LIFETIME_MS = 3650 * 24 * 60 * 60 * 1000;
/** Short, so that a machine that slept, or a clock that jumped, is noticed. */
const LOOK_AGAIN_MS = 1_000;
/** After a failure. */
const TRY_AGAIN_MS = 15_000;

export interface ServingIdentityOptions {
  readonly issuer: Watched<CertificateAuthority>;
  readonly trust: Watched<AuthorityTrust>;
  /** IP address that it serves on. */
  readonly address: string;
  readonly clock: Clock;
  readonly log: Log;
}

interface Issued {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  readonly issuer: CertificateAuthority;
  /** When the next is due. */
  readonly renewAt: Date;
}

export class ServingIdentity {
  readonly identity: WatchedValue<ServerIdentity>;
  readonly #options: ServingIdentityOptions;
  readonly #stops: readonly (() => void)[];
  #issued: Issued;
  /** On the monotonic clock. */
  #notBefore = 0;

  /** @throws AuthorityExpiredError */
  constructor(options: ServingIdentityOptions) {
    this.#options = options;
    this.#issued = issue(options);
    this.identity = new WatchedValue(this.#identity);
    const timer = setInterval(() => this.#renewIfDue(), LOOK_AGAIN_MS).unref();
    this.#stops = [
      () => clearInterval(timer),
      options.issuer.onChange(() => this.#renewIfDue()),
      options.trust.onChange(() => this.identity.set(this.#identity)),
    ];
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  get #identity(): ServerIdentity {
    const { certificateChainPem, privateKeyPem } = this.#issued;
    const clientRootsPem = this.#options.trust.current.rootsPem;
    return { certificateChainPem, privateKeyPem, clientRootsPem };
  }

  #renewIfDue(): void {
    const { issuer, clock, log } = this.#options;
    const isOthers = this.#issued.issuer !== issuer.current;
    if (!isOthers && clock.now() < this.#issued.renewAt) return;
    if (performance.now() < this.#notBefore) return;
    try {
      this.#issued = issue(this.#options);
      this.identity.set(this.#identity);
      const renewAt = this.#issued.renewAt.toISOString();
      log.info("the control plane's own certificate was renewed", { renewAt });
    } catch (error) {
      this.#notBefore = performance.now() + TRY_AGAIN_MS;
      const problem = describeError(error);
      log.error("the control plane's own certificate was not renewed", { problem });
    }
  }
}

/** A new key each time: it never rests anywhere. */
function issue({ issuer, address, clock }: ServingIdentityOptions): Issued {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = clock.now();
  const { chainPem, notAfter } = issuer.current.issueServer({
    publicKey,
    dnsNames: [CONTROL_PLANE_NAME, "localhost"],
    ipAddresses: [address],
    lifetimeMs: LIFETIME_MS,
    now,
  });
  return {
    certificateChainPem: chainPem.join("\n"),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    issuer: issuer.current,
    renewAt: new Date((now.getTime() + notAfter.getTime()) / 2),
  };
}
