/** What a rate limit says, in words. */
import { formatLocation, formatRef } from "../../api/resource.ts";
import type { LimitOutcome } from "./limit-outcome.ts";

/** One line for tables: `shop/checkout/per-caller (limits.yaml:9): 100 requests in 1s` */
export function shortLimit(outcome: LimitOutcome): string {
  const { limit, origin } = outcome;
  return `${limit} (${formatLocation(origin.source)}): ${limitInWords(outcome)}${keyInWords(outcome.key)}`;
}

/** A sentence, without its full stop. */
export function limitedInWords(outcome: LimitOutcome): string {
  const { limit, origin, scope, key, unavailable, retryAfterMs } = outcome;
  const name = limit.slice(limit.lastIndexOf("/") + 1);
  const of = scope === "Local" ? "of each pod" : "of the whole mesh";
  const what = `limit ${name} of ${formatRef(origin.ref)} (${formatLocation(origin.source)}), ${limitInWords(outcome)} ${of}${keyInWords(key)}`;
  if (unavailable)
    return `whoever counts for ${what} cannot be asked, and it says whenUnavailable: Deny`;
  const room = retryAfterMs === 0 ? "" : `; there is room again in ${Math.ceil(retryAfterMs)} ms`;
  return `${what}, is spent${room}`;
}

/** `100 requests in 1s`, `5 connections at once` */
export function limitInWords({
  counts,
  amount,
  perMs,
}: Pick<LimitOutcome, "counts" | "amount" | "perMs">): string {
  if (counts === "openConnections") return `${amount} connections at once`;
  return `${amount} ${counts} in ${periodInWords(perMs)}`;
}

/** `, for source.principal cluster.local/ns/shop/sa/web, request.headers[x-user] (none)` */
function keyInWords(key: LimitOutcome["key"]): string {
  if (key.length === 0) return "";
  return `, for ${key.map(({ name, value = "(none)" }) => `${name} ${value}`).join(", ")}`;
}

const UNITS = [
  [3_600_000, "h"],
  [60_000, "m"],
  [1_000, "s"],
  [1, "ms"],
] as const;

function periodInWords(ms: number): string {
  const [size, unit] = UNITS.find(([each]) => ms % each === 0) ?? [1, "ms"];
  return `${ms / size}${unit}`;
}
