/**
 * Which trust Envoy has taken over. The control plane replaces an authority once all have acknowledged the next one: an
 * agent may not acknowledge what only itself knows.
 */
import type { Trust } from "../policy/workload-view.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** Envoy does not take over the trust that it was sent. */
export class TrustRefusedError extends HauberkError {
  readonly code = "HAUBERK_TRUST_REFUSED";
}

type Answer = { readonly verdict: "taken" } | { readonly verdict: "refused"; readonly why: string };

interface Known {
  readonly trust: string;
  readonly answer?: Answer;
}

export class AcceptedTrust {
  /** Of each stream that asked for it. */
  readonly #known = new Map<object, Known>();
  readonly #waiting = new Set<() => void>();

  sent(stream: object, trust: Trust | undefined): void {
    if (trust !== undefined) this.#known.set(stream, { trust: textOf(trust) });
  }

  taken(stream: object, trust: Trust): void {
    this.#answer(stream, { trust: textOf(trust), answer: { verdict: "taken" } });
  }

  refused(stream: object, trust: Trust, why: string): void {
    this.#answer(stream, { trust: textOf(trust), answer: { verdict: "refused", why } });
  }

  gone(stream: object): void {
    this.#known.delete(stream);
    this.#wake();
  }

  /**
   * Resolves when every stream that asks for trust has taken this one, at once where none does: whoever asks later is sent
   * the newest.
   *
   * @throws TrustRefusedError
   */
  async settled(trust: Trust, signal: AbortSignal): Promise<void> {
    const text = textOf(trust);
    while (!signal.aborted) {
      const open = [...this.#known.values()].filter((one) => one.trust === text);
      for (const { answer } of open) {
        if (answer?.verdict === "refused") throw new TrustRefusedError(answer.why);
      }
      if (open.every(({ answer }) => answer !== undefined)) return;
      await this.#next(signal);
    }
  }

  #answer(stream: object, known: Known): void {
    if (this.#known.get(stream)?.trust !== known.trust) return;
    this.#known.set(stream, known);
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }
}

function textOf({ rootsPem, crlsPem = [] }: Trust): string {
  return JSON.stringify([rootsPem, crlsPem]);
}
