/** Keys that nobody wants any more, for a while: a rule that is deleted and written again while its issuer is away goes on with them. */
import type { KeySetState } from "./followed-key-set.ts";

const MAX_KEPT = 64;
const MAX_AGE_MS = 24 * 60 * 60_000;

export class RetiredKeySets {
  /** The oldest first. */
  readonly #kept = new Map<string, { readonly state: KeySetState; readonly sinceMs: number }>();

  /** The newest 64 that have keys are kept. */
  retire(name: string, { jwks, fetchedAt }: KeySetState, sinceMs: number): void {
    if (jwks === undefined || fetchedAt === undefined) return;
    this.#kept.delete(name);
    this.#kept.set(name, { state: { jwks, fetchedAt }, sinceMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** @returns undefined: they were not kept, or for more than a day */
  takeBack(name: string, nowMs: number): KeySetState | undefined {
    const kept = this.#kept.get(name);
    this.#kept.delete(name);
    return kept !== undefined && nowMs - kept.sinceMs <= MAX_AGE_MS ? kept.state : undefined;
  }
}
