/** Which of a sidecar's processes asks, as it says itself: nobody but its own pod is judged by it. */

export interface ProcessPlace {
  /** From 1. */
  readonly process: number;
  /** How many there are to be. */
  readonly of: number;
}

/** Whoever claims more is not believed. */
export const MAX_PROCESSES: number = 64;

/** @returns undefined where it says nothing, or nothing that can be */
export function processPlace(
  said: { readonly number: number; readonly of: number } | undefined,
): ProcessPlace | undefined {
  if (said === undefined) return undefined;
  const { number: process, of } = said;
  return isCount(process) && isCount(of) && process <= of ? { process, of } : undefined;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_PROCESSES;
}
