/** Which of a sidecar's processes asks, as it says itself: nobody but its own pod is judged by it. */

export interface ProcessPlace {
  /** From 1. */
  readonly process: number;
  /** How many there are to be. */
  readonly of: number;
}

/** Whoever claims more is not believed. */
const MAX_PROCESSES = 64;

/**
 * @param metadata of the node that asks
 * @returns undefined where it says nothing, or nothing that can be
 */
export function processPlace(metadata: unknown): ProcessPlace | undefined {
  if (typeof metadata !== "object" || metadata === null) return undefined;
  if (!("process" in metadata) || !("of" in metadata)) return undefined;
  const { process, of } = metadata;
  return isCount(process) && isCount(of) && process <= of ? { process, of } : undefined;
}

function isCount(value: unknown): value is number {
  return (
    typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_PROCESSES
  );
}
