/** Reads the rate limits of a view. */
import {
  LIMIT_HEADERS,
  LIMIT_MODES,
  LIMIT_SCOPES,
  UNAVAILABLE_CHOICES,
} from "../api/rate-limit-choices.ts";
import { limitKeyProblem } from "../api/rate-limit-key.ts";
import type { AppliedRateLimit } from "../policy/applied-rate-limits.ts";
import type { ResourceOrigin } from "../policy/decision.ts";
import {
  choice,
  type Decoder,
  flag,
  integer,
  list,
  object,
  parsed,
  text,
  unexpected,
} from "./view-fields.ts";

const MOST = 1_000_000_000;
const LONGEST_MS = 31 * 24 * 3_600_000;

/** @param rule as in AuthorizationPolicies */
export function appliedRateLimit(
  { ref, source }: { readonly [field in keyof ResourceOrigin]: Decoder<ResourceOrigin[field]> },
  rule: Decoder<AppliedRateLimit["match"][number]>,
): Decoder<AppliedRateLimit> {
  const decode = object({
    ref,
    source,
    name: text,
    match: list(rule),
    counts: choice(["requests", "connections", "openConnections"]),
    amount: integer(1, MOST),
    perMs: integer(0, LONGEST_MS),
    burst: integer(1, MOST),
    key: list(parsed(keyPart, "a part of a key")),
    fair: flag,
    scope: choice(LIMIT_SCOPES),
    mode: choice(LIMIT_MODES),
    whenUnavailable: choice(UNAVAILABLE_CHOICES),
    headers: choice(LIMIT_HEADERS),
  });
  return (value, path) => {
    const limit = decode(value, path);
    if (limit.counts !== "openConnections" && limit.perMs === 0)
      throw unexpected(`${path}.perMs`, "a time");
    return limit;
  };
}

function keyPart(part: string): string {
  const problem = limitKeyProblem(part);
  if (problem !== undefined) throw new RangeError(problem);
  return part;
}
