/** Notices that the wall clock went on without us: a machine that slept, or a clock that somebody set. */
import type { Clock } from "./clock.ts";

/** Twice a second: whoever depends on the time of day hears of a jump within one. */
const LOOK_EVERY_MS = 500;
/** Clocks are slewed by less. */
const JUMP_MS = 2_000;

/**
 * Calls `onJump` with how far the wall clock moved against the monotonic one, in milliseconds, whenever that is more than
 * two seconds; does not keep the process running.
 *
 * @returns ends the watch
 */
export function watchClockJumps(clock: Clock, onJump: (jumpMs: number) => void): () => void {
  const offset = (): number => clock.now().getTime() - performance.now();
  let known = offset();
  const timer = setInterval(() => {
    const now = offset();
    const jumpMs = now - known;
    known = now;
    if (Math.abs(jumpMs) > JUMP_MS) onJump(Math.round(jumpMs));
  }, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}
