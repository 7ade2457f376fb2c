/** Waits for something that must be asked for. */
import { setTimeout as delay } from "node:timers/promises";

const PATIENCE_MS = 30_000;
const STEP_MS = 100;

/**
 * @param what is waited for; a function is asked when it was in vain
 * @returns the first answer that is neither undefined nor false
 * @throws when there is none within thirty seconds
 */
export async function until<T>(
  what: string | (() => string),
  ask: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) {
      throw new Error(`waited in vain for ${typeof what === "string" ? what : what()}`);
    }
    await delay(STEP_MS);
  }
}
