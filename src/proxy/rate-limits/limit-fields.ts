/**
 * What an answer tells of rate limits: `RateLimit-Policy`, `RateLimit` and `Retry-After`.
 * Sources: draft-ietf-httpapi-ratelimit-headers-10, RFC 9651 (structured fields), RFC 9110 section 10.2.3
 */
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";

/** What is left of one limit. */
export interface LimitState {
  readonly limit: Pick<AppliedRateLimit, "name" | "amount" | "perMs">;
  readonly left: number;
  /** Milliseconds until there is room again, or until all is left again; absent: not known. */
  readonly inMs?: number;
}

const SECOND_MS = 1_000;

/** Names and values in turn, one field of each name for all limits; empty where there are none. */
export function limitFields(states: readonly LimitState[]): readonly string[] {
  if (states.length === 0) return [];
  return [
    "ratelimit-policy",
    states.map(({ limit }) => policyItem(limit)).join(", "),
    "ratelimit",
    states.map(stateItem).join(", "),
  ];
}

/** In whole seconds: whoever comes back then finds room. */
export function retryAfterField(ms: number): readonly string[] {
  return ["retry-after", String(Math.max(1, Math.ceil(ms / SECOND_MS)))];
}

/** The window is told in whole seconds, or not at all. */
function policyItem({ name, amount, perMs }: LimitState["limit"]): string {
  const window = perMs % SECOND_MS === 0 ? `;w=${perMs / SECOND_MS}` : "";
  return `"${name}";q=${amount}${window}`;
}

function stateItem({ limit, left, inMs }: LimitState): string {
  const time = inMs === undefined ? "" : `;t=${Math.ceil(inMs / SECOND_MS)}`;
  return `"${limit.name}";r=${left}${time}`;
}
