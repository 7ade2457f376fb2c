/** Pods that were seen and are gone: as long as calls count, their logs tell of them. */
import { WINDOW_MINUTES } from "./call-counts.ts";
import type { PodFacts } from "./mesh-source.ts";

const KEPT_MS = WINDOW_MINUTES * 60_000;
/** Of a mesh that replaces its pods without end, the last ones. */
const MAX_SEEN = 10_000;

export class EndedPods {
  readonly #seen: Map<string, { readonly pod: PodFacts; readonly at: number }> = new Map();

  /** @returns those that ended while calls of theirs still count, the longest gone first */
  among(pods: readonly PodFacts[], now: Date): readonly PodFacts[] {
    const at = now.getTime();
    const running = new Set(pods.map(keyOf));
    for (const pod of pods) {
      // The last seen stands last.
      this.#seen.delete(keyOf(pod));
      this.#seen.set(keyOf(pod), { pod, at });
    }
    for (const [key, { at: seenAt }] of this.#seen) {
      if (at - seenAt > KEPT_MS || this.#seen.size > MAX_SEEN) this.#seen.delete(key);
    }
    return [...this.#seen].filter(([key]) => !running.has(key)).map(([, { pod }]) => pod);
  }
}

function keyOf({ namespace, name }: PodFacts): string {
  return `${namespace}/${name}`;
}
