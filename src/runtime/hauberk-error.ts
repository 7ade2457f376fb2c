/** Base of every error this package throws on purpose; any other error is a defect. */
export abstract class HauberkError extends Error {
  /** Stable, listed in docs/reference/errors.md; messages may change, codes may not. */
  abstract readonly code: `HAUBERK_${string}`;
  override get name(): string {
    return this.constructor.name;
  }
}

/** The one place that turns anything caught into words: the message, and the causes behind it. */
export function describeError(caught: unknown): string {
  const parts: string[] = [];
  for (let error = caught, depth = 0; error !== undefined && depth < 5; depth++) {
    parts.push(error instanceof Error ? error.message : String(error));
    error = error instanceof Error ? error.cause : undefined;
  }
  return parts.filter((part) => part !== "").join(": ");
}
