/** What every way of spreading calls has in common. None of them allocates when it picks. */
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import type { Hash64 } from "./word64.ts";

/** A whole number from 0 to below `below`, each as likely; chance is a parameter. */
export type Chance = (below: number) => number;

export interface LoadBalancer<T> {
  /**
   * The endpoint for the next call; whoever makes the call takes one of its `requests`.
   *
   * @param hash of what the call shall stick by; only consistent hash looks at it
   * @param attempt 0, and 1, 2, ... where earlier picks for the same call were not wanted
   * @returns undefined when there is none: no healthy upstream (UH)
   */
  pick(hash?: Hash64, attempt?: number): BalancedEndpoint<T> | undefined;
}
