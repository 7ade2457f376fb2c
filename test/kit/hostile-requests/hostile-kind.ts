/** One way to be refused, and chance to make many of it. */
import type { Dice } from "../dice.ts";

/** What is wrong, how such a request is made, and what must be said of it. */
export type HostileKind = readonly [what: string, make: (dice: Dice) => string, reason: RegExp];

/** From 0 to `limit` - 1. */
export function below(dice: Dice, limit: number): number {
  return dice.between(0, limit - 1);
}

export function bytes(dice: Dice, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => below(dice, 256)));
}
