/** What a rate limit says of one request or connection that it has no room for. Plain data: it travels into logs. */

import type { AppliedRateLimit } from "../applied-rate-limits.ts";
import type { ResourceOrigin } from "../decision.ts";
import type { LimitKeyPart } from "./limit-key.ts";

export interface LimitOutcome
  extends Pick<AppliedRateLimit, "scope" | "counts" | "amount" | "perMs"> {
  /** `shop/checkout/per-caller` */
  readonly limit: string;
  /** The RateLimit, and where the limit is written in it. */
  readonly origin: ResourceOrigin;
  /** What is counted apart, of this traffic; headers and claims are hashed. */
  readonly key: readonly LimitKeyPart[];
  /** How many more would be let through now. */
  readonly left: number;
  /** Milliseconds until there is room again, if nobody else asks; of connections that last, nobody knows: 0. */
  readonly retryAfterMs: number;
  /** Whoever counts for the mesh could not be asked, and the limit demands that then nobody is let through. */
  readonly unavailable?: true;
}
