/**
 * How long a stream may go on with the client certificate that opened it: as long as that is good. Whoever has a better one
 * comes back with it.
 */
import type { X509Certificate } from "node:crypto";
import { clientCertificateProblem } from "../ca/client-certificate-problem.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Watched } from "../runtime/watched.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";

/** Waiting is cut into pieces, so that a machine that slept notices. */
const MAX_NAP_MS = 60_000;

export interface ProofLifetimeOptions {
  readonly trust: Watched<AuthorityTrust>;
  readonly clock: Clock;
}

export class ProofLifetime {
  readonly #over = new AbortController();
  readonly #certificate: X509Certificate;
  readonly #options: ProofLifetimeOptions;
  readonly #stopWatching: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(certificate: X509Certificate, options: ProofLifetimeOptions) {
    this.#certificate = certificate;
    this.#options = options;
    this.#stopWatching = options.trust.onChange(() => this.#judge());
    this.#judge();
  }

  /** Aborts with a `GrpcStatusError`. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  close(): void {
    this.#stopWatching();
    clearTimeout(this.#timer);
  }

  #judge(): void {
    const { trust, clock } = this.#options;
    const now = clock.now();
    const problem = clientCertificateProblem(this.#certificate, { trust: trust.current, now });
    clearTimeout(this.#timer);
    if (problem !== undefined) {
      const details = `the client certificate ${problem}`;
      this.#over.abort(new GrpcStatusError("UNAUTHENTICATED", details));
      return;
    }
    const leftMs = Date.parse(this.#certificate.validTo) - now.getTime();
    this.#timer = setTimeout(() => this.#judge(), Math.min(leftMs, MAX_NAP_MS)).unref();
  }
}
