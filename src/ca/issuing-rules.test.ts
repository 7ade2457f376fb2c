import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthorityExpiredError,
  DEFAULT_LIFETIME_MS,
  grantedLifetimeMs,
  grantedValidity,
  LifetimeTooLongError,
  MAX_LIFETIME_MS,
} from "./issuing-rules.ts";

const DAY_SECONDS = 86_400n;

const granted: [requestedSeconds: bigint, lifetimeMs: number][] = [
  [0n, DEFAULT_LIFETIME_MS],
  [-1n, DEFAULT_LIFETIME_MS],
  [-(2n ** 63n), DEFAULT_LIFETIME_MS],
  [1n, 1_000],
  [3_600n, 3_600_000],
  [90n * DAY_SECONDS, MAX_LIFETIME_MS],
];
for (const [requested, expected] of granted) {
  test(`CA-10: ${requested} s asked for, ${expected} ms granted`, () => {
    assert.equal(grantedLifetimeMs(requested), expected);
  });
}

for (const requested of [90n * DAY_SECONDS + 1n, 2n ** 63n - 1n]) {
  test(`CA-10, QK-33: ${requested} s is an error, not clamped`, () => {
    assert.throws(() => grantedLifetimeMs(requested), LifetimeTooLongError);
  });
}

const issuer = {
  issuerNotBefore: new Date("2026-01-01T00:00:00Z"),
  issuerNotAfter: new Date("2026-02-01T00:00:00Z"),
};

test("CA-16: begins two minutes before now, in whole seconds", () => {
  const now = new Date("2026-01-10T00:00:00.700Z");
  const { notBefore, notAfter } = grantedValidity({ now, lifetimeMs: 60_000, ...issuer });
  assert.equal(notBefore.toISOString(), "2026-01-09T23:58:00.000Z");
  assert.equal(notAfter.toISOString(), "2026-01-10T00:01:00.000Z");
});

test("CA-10: ends no later than its issuer", () => {
  const now = new Date("2026-01-31T12:00:00Z");
  const { notAfter } = grantedValidity({ now, lifetimeMs: DEFAULT_LIFETIME_MS, ...issuer });
  assert.deepEqual(notAfter, issuer.issuerNotAfter);
});

for (const now of ["2026-02-01T00:00:00Z", "2027-01-01T00:00:00Z", "2025-12-31T23:59:59Z"]) {
  test(`CA-10: an issuer that is not valid at ${now} signs nothing`, () => {
    const options = { now: new Date(now), lifetimeMs: 1_000, ...issuer };
    assert.throws(() => grantedValidity(options), AuthorityExpiredError);
  });
}
