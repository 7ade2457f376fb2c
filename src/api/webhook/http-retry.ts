/** `retries` of an HTTP route, and of the whole mesh: how often a failed request is tried again, and after what. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { checkDuration } from "./duration.ts";
import { numberIn, textIn } from "./written-values.ts";

const CONDITIONS: ReadonlySet<string> = new Set([
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "retriable-4xx",
  "refused-stream",
  "retriable-status-codes",
  "retriable-headers",
  "envoy-ratelimited",
  "http3-post-connect-failure",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
]);
/** First and last of each row of statuses that Go has a text for. */
const STATUSES: readonly (readonly [first: number, last: number])[] = [
  [100, 103],
  [200, 208],
  [226, 226],
  [300, 305],
  [307, 308],
  [400, 418],
  [421, 426],
  [428, 429],
  [431, 431],
  [451, 451],
  [500, 508],
  [510, 511],
];

export function checkRetries(owner: Fields, field = "retries"): void {
  const retries = owner.section(field);
  const attempts = numberIn(retries, "attempts");
  if (attempts < 0) retries.report("attempts", `is ${attempts}; must not be negative`);
  if (attempts === 0 && saysMore(retries)) {
    retries.report("attempts", "is 0, which turns retries off: nothing else must be given");
  }
  checkDuration(retries, "perTryTimeout");
  checkDuration(retries, "backoff");
  const retryOn = textIn(retries, "retryOn");
  for (const condition of retryOn === "" ? [] : retryOn.split(",")) {
    if (CONDITIONS.has(condition) || isStatus(condition)) continue;
    retries.report("retryOn", `${quoted(condition)} is not a condition to retry on`);
  }
}

function saysMore(retries: Fields): boolean {
  return (
    retries.has("perTryTimeout") ||
    textIn(retries, "retryOn") !== "" ||
    retries.has("retryRemoteLocalities")
  );
}

function isStatus(text: string): boolean {
  const status = Number(text);
  return (
    /^\+?\d+$/.test(text) && STATUSES.some(([first, last]) => status >= first && status <= last)
  );
}
