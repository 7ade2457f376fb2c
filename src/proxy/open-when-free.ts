/** Opens ports that another process is about to leave: the sidecar that this one takes over from may still be dying. */
import { setTimeout as delay } from "node:timers/promises";
import { ListenError } from "../runtime/listen-error.ts";

const STEP_MS = 50;
/** A sidecar that closes stops listening at once; one that was killed is gone soon. */
const PATIENCE_MS = 3_000;

/**
 * @param open may be called several times
 * @throws ListenError when a port is still taken after a while, or cannot be opened for another reason
 */
export async function openWhenFree(open: () => Promise<void>): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isTaken(error) || performance.now() > until) throw error;
      await delay(STEP_MS);
    }
  }
}

function isTaken(error: unknown): boolean {
  if (!(error instanceof ListenError) || !(error.cause instanceof Error)) return false;
  return "code" in error.cause && error.cause.code === "EADDRINUSE";
}
