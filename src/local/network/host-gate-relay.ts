/** Carries bytes both ways between two connections of the host gate, each direction ending on its own. */
import type { Socket } from "node:net";
import { pipeline } from "node:stream/promises";

/** As the sidecar's. */
const IDLE_MS = 3_600_000;

/** Until both directions ended, or one of the connections failed or was silent for an hour; both are closed then. */
export async function carryBothWays(one: Socket, other: Socket): Promise<void> {
  const cut = (): void => {
    one.destroy();
    other.destroy();
  };
  one.setTimeout(IDLE_MS, cut);
  other.setTimeout(IDLE_MS, cut);
  await Promise.all([pipeline(one, other), pipeline(other, one)]).catch(cut);
}
