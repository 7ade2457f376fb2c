/** Waits for something that another task brings about. */
import { setTimeout as delay } from "node:timers/promises";

/** Longer than the product itself waits for a part to start: whatever goes wrong is told by whoever knows why. */
const PATIENCE_MS = 30_000;
const STEP_MS = 10;

/**
 * @param what is waited for; a function is asked when it was in vain
 * @returns the first value of `look` that is neither undefined nor false
 * @throws when there is none within thirty seconds, or as long as `withinMs` says
 */
export async function eventually<T>(
  what: string | (() => string),
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { withinMs = PATIENCE_MS }: { readonly withinMs?: number } = {},
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until) {
      throw new Error(`waited in vain for ${typeof what === "string" ? what : what()}`);
    }
    await delay(STEP_MS);
  }
}
