/** What is left of a rate limit for one caller. Plain data: commands ask those who count for it. */
export interface LimitLeft {
  /** How many would be let through now. */
  readonly left: number;
  /** Milliseconds until one would be; null where nobody knows. */
  readonly waitMs: number | null;
}
