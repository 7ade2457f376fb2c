/**
 * Who asks, and how often. A certificate that was found good is believed for a second: its connection asks again and again. No
 * identity may ask so often that others wait for it.
 */
import type { X509Certificate } from "node:crypto";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Caller } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";

/** @throws whatever says why not */
export type IdentifyCaller = (caller: Caller) => Promise<SpiffeId>;

const BELIEVED_MS = 1_000;
/** Of one identity, all its pods together; each asks about several things at once where it is busy. */
export const MAX_CALLS_PER_SECOND = 2_000;
/** What they ask about, one descriptor each. */
export const MAX_COUNTS_PER_SECOND = 20_000;
const SECOND_MS = 1_000;

export class KnownCallers {
  readonly #identify: IdentifyCaller;
  readonly #now: () => number;
  readonly #believed: WeakMap<X509Certificate, { readonly id: SpiffeId; readonly until: number }> =
    new WeakMap();
  #second = 0;
  #spent: Map<SpiffeId, Spent> = new Map();

  /** @param now milliseconds of a clock that only goes forward */
  constructor(identify: IdentifyCaller, now: () => number) {
    this.#identify = identify;
    this.#now = now;
  }

  /**
   * @param counts how many things it asks about
   * @throws GrpcStatusError if it may not ask, or not now
   */
  async admit(caller: Caller, counts: number): Promise<SpiffeId> {
    const { certificate } = caller;
    if (certificate === undefined)
      throw new GrpcStatusError("UNAUTHENTICATED", "a client certificate is needed");
    const now = this.#now();
    const id = this.#recall(certificate, now) ?? (await this.#identify(caller));
    this.#believed.set(
      certificate,
      this.#believed.get(certificate) ?? { id, until: now + BELIEVED_MS },
    );
    this.#spend(id, { counts, now });
    return id;
  }

  #recall(certificate: X509Certificate, now: number): SpiffeId | undefined {
    const believed = this.#believed.get(certificate);
    if (believed !== undefined && now < believed.until) return believed.id;
    this.#believed.delete(certificate);
    return undefined;
  }

  #spend(id: SpiffeId, { counts, now }: { readonly counts: number; readonly now: number }): void {
    const second = Math.floor(now / SECOND_MS);
    if (second !== this.#second) this.#spent = new Map();
    this.#second = second;
    const spent = this.#spent.get(id) ?? { calls: 0, counts: 0 };
    this.#spent.set(id, spent);
    spent.calls++;
    spent.counts += counts;
    if (spent.calls > MAX_CALLS_PER_SECOND || spent.counts > MAX_COUNTS_PER_SECOND)
      throw new GrpcStatusError("RESOURCE_EXHAUSTED", "too many questions in this second");
  }
}

interface Spent {
  calls: number;
  counts: number;
}
