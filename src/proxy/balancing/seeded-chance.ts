/**
 * Chance without a number in memory for each throw, which `Math.random()` makes. Good enough to spread calls; whoever
 * sees many of its throws can tell the next one.
 */
import type { Chance } from "./load-balancer.ts";

/** @param seed any number; the throws of two sidecars are alike exactly if their seeds are, as 32 bits */
export function seededChance(seed: number): Chance {
  let state = seed | 0;
  return (below) => {
    // mulberry32: every state once before the first comes again.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
