/**
 * How long a stream may go on with the client certificate that opened it: no longer than that is valid, and not beyond a
 * root that was trusted then and is no more. Whoever is still trusted comes back, and is judged anew.
 */
import type { X509Certificate } from "node:crypto";
import type { AuthorityTrust } from "../ca/rotation.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Watched } from "../runtime/watched.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";

/** Waiting is cut into pieces, so that a machine that slept notices. */
const MAX_NAP_MS = 60_000;

export class ProofLifetime {
  readonly #over = new AbortController();
  readonly #notAfter: Date;
  readonly #clock: Clock;
  readonly #stopWatching: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    certificate: X509Certificate,
    { trust, clock }: { readonly trust: Watched<AuthorityTrust>; readonly clock: Clock },
  ) {
    this.#notAfter = new Date(certificate.validTo);
    this.#clock = clock;
    const { rootsPem } = trust.current;
    this.#stopWatching = trust.onChange((now) => {
      if (rootsPem.some((root) => !now.rootsPem.includes(root)))
        this.#end("a root is trusted no more: come back");
    });
    this.#watchExpiry();
  }

  /** Aborts with a `GrpcStatusError`. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  close(): void {
    this.#stopWatching();
    clearTimeout(this.#timer);
  }

  #watchExpiry(): void {
    const leftMs = this.#notAfter.getTime() - this.#clock.now().getTime();
    if (leftMs <= 0) this.#end("the client certificate expired");
    else this.#timer = setTimeout(() => this.#watchExpiry(), Math.min(leftMs, MAX_NAP_MS)).unref();
  }

  #end(details: string): void {
    this.#over.abort(new GrpcStatusError("UNAUTHENTICATED", details));
  }
}
