/** Waits for something that another task brings about. */
import { setTimeout as delay } from "node:timers/promises";

const PATIENCE_MS = 10_000;
const STEP_MS = 10;

/**
 * @returns the first value of `look` that is neither undefined nor false
 * @throws when there is none within ten seconds
 */
export async function eventually<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until) throw new Error(`waited in vain for ${what}`);
    await delay(STEP_MS);
  }
}
