import assert from "node:assert/strict";
import { test } from "node:test";
import { limitedInWords, shortLimit } from "./limit-in-words.ts";
import type { LimitOutcome } from "./limit-outcome.ts";

const outcome: LimitOutcome = {
  limit: "shop/checkout/all",
  origin: {
    ref: { kind: "RateLimit", namespace: "shop", name: "checkout" },
    source: { file: "limits.yaml", line: 9 },
  },
  scope: "Local",
  counts: "requests",
  amount: 10,
  perMs: 1_500,
  key: [],
  left: 0,
  retryAfterMs: 0,
};

const sentences: [changes: Partial<LimitOutcome>, short: string, sentence: RegExp][] = [
  [{}, "10 requests in 1500ms", /10 requests in 1500ms of each pod, is spent$/],
  [{ perMs: 90_000, scope: "Global" }, "10 requests in 90s", /in 90s of the whole mesh, is spent$/],
  [{ perMs: 7_200_000 }, "10 requests in 2h", /in 2h of each pod, is spent$/],
  [
    { counts: "openConnections", perMs: 0 },
    "10 connections at once",
    /10 connections at once of each pod, is spent$/,
  ],
  [
    { scope: "Global", perMs: 1_000, unavailable: true },
    "10 requests in 1s",
    /^whoever counts for limit all of RateLimit shop\/checkout \(limits.yaml:9\), .* cannot be asked, and it says whenUnavailable: Deny$/,
  ],
];
for (const [changes, short, sentence] of sentences) {
  test(`${JSON.stringify(changes)} is ${short}`, () => {
    const changed = { ...outcome, ...changes };
    assert.equal(shortLimit(changed), `shop/checkout/all (limits.yaml:9): ${short}`);
    assert.match(limitedInWords(changed), sentence);
  });
}
