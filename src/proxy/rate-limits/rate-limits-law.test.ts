import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { appliedRateLimit } from "../../../test/kit/applied-rate-limit.ts";
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";
import { KnownLimits } from "./known-limits.ts";
import { type LimitedRequest, RateLimits } from "./rate-limits.ts";

const trust = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [],
  minimumTlsVersion: "TLSv1.3",
} as const;
const connection = {
  sourceAddress: "10.0.0.7",
  sourcePort: 1,
  destinationAddress: "10.0.0.8",
  destinationPort: 8080,
};

interface Asked {
  readonly user: string;
  readonly path: string;
  /** Milliseconds after the one before. */
  readonly pause: number;
}

function request({ user, path }: Asked): LimitedRequest {
  return {
    connection,
    method: "GET",
    path,
    remoteAddress: "10.0.0.7",
    decision: undefined,
    header: (name) => (name === "x-user" ? user : undefined),
  };
}

/** As one would write it down: for each limit and key so many tokens, which grow with time. */
class Tokens {
  readonly #limits: readonly AppliedRateLimit[];
  readonly #held = new Map<string, { tokens: number; at: number }>();

  constructor(limits: readonly AppliedRateLimit[]) {
    this.#limits = limits;
  }

  admits(asked: Asked, now: number): boolean {
    const buckets = this.#limits.map((limit) => this.#bucket(limit, { asked, now }));
    if (buckets.some(({ tokens }) => tokens < 1 - 1e-6)) return false;
    for (const bucket of buckets) bucket.tokens--;
    return true;
  }

  #bucket(
    { name, key, amount, perMs, burst }: AppliedRateLimit,
    { asked, now }: { readonly asked: Asked; readonly now: number },
  ): { tokens: number; at: number } {
    const parts = key.map((one) => (one === "request.path" ? asked.path : asked.user));
    const id = JSON.stringify([name, parts]);
    const bucket = this.#held.get(id) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * amount) / perMs);
    bucket.at = now;
    this.#held.set(id, bucket);
    return bucket;
  }
}

const limit = fc.record({
  amount: fc.integer({ min: 1, max: 20 }),
  perMs: fc.constantFrom(1_000, 1_500, 60_000),
  burst: fc.integer({ min: 1, max: 10 }),
  key: fc.constantFrom(
    [],
    ["request.path"],
    ["request.headers[x-user]"],
    ["request.path", "request.headers[x-user]"],
  ),
});
const asked = fc.record({
  user: fc.constantFrom("", "a", "b"),
  path: fc.constantFrom("/", "/a"),
  pause: fc.integer({ min: 0, max: 400 }),
});

test("law: a request passes exactly where every limit has a token for it, and takes one of each only then", () => {
  fc.assert(
    fc.property(
      fc.array(limit, { minLength: 1, maxLength: 3 }),
      fc.array(asked, { maxLength: 150 }),
      (given, requests) => {
        const limits = given.map((one, index) => appliedRateLimit({ ...one, name: `l${index}` }));
        let now = 5_000;
        const known = new KnownLimits({ now: () => now });
        const rateLimits = RateLimits.of(limits, { known, trust });
        const tokens = new Tokens(limits);
        for (const one of requests) {
          now += one.pause;
          const passed = rateLimits?.admit(request(one)) === "continue";
          assert.equal(passed, tokens.admits(one, now));
        }
      },
    ),
  );
});
