import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fieldIdOf } from "../http/field-names.ts";
import type { Decision, Judged, Reason } from "../policy/decision.ts";
import { formatAccessLogEntry } from "../telemetry/access-log.ts";
import { requestEntry } from "./access-entry.ts";
import { AccessLines } from "./access-lines.ts";
import type { Exchange, Outcome } from "./exchange.ts";
import { HeldFields } from "./http/held-fields.ts";
import type { CallFacts } from "./recorder.ts";
import type { UpstreamEnds } from "./upstream-dialer.ts";

const SOURCE = { kind: "AuthorizationPolicy", namespace: "shop", name: "allow" };
const MATCHED = { policy: SOURCE, rule: 1, source: { file: "/mesh/a b.yaml", line: 7 } };
const REASONS: readonly Reason[] = [
  { because: "matched-allow", matched: MATCHED },
  { because: "matched-deny", matched: MATCHED },
  { because: "no-allow-policy" },
  { because: "unknown-destination" },
  { because: "peer-not-verified", problem: `"\u202e${"certificate ".repeat(200)}` },
  { because: "no-allow-matched", considered: [SOURCE], nearest: [] },
];
const judged = (reasons: readonly Reason[]): fc.Arbitrary<Judged> =>
  fc.record({ verdict: fc.constantFrom("allow", "deny"), reason: fc.constantFrom(...reasons) });
/** Policies on trial find no problems: those are of connections. */
const trial = judged(REASONS.filter((reason) => !("problem" in reason)));
const decision: fc.Arbitrary<Decision> = fc
  .tuple(judged(REASONS), fc.option(trial), fc.boolean())
  .map(([local, dryRun, isAudited]) => ({
    ...local,
    ...(dryRun && { dryRun }),
    ...(isAudited && { audited: MATCHED }),
  }));

/** As the wire has it, and as an attacker would. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("\u001b[2J", '\\"}\n{"forged":1}', "\u2028", "\u{e0001}", "\ud800", "ü", "😀"),
  fc.string({ minLength: 1_020, maxLength: 1_030 }),
  fc.constant(`${"x".repeat(1_023)}😀`),
);
const NAMES = ["x-forwarded-for", "user-agent", "x-request-id", "x-other"] as const;
const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(one, { nil: undefined });
const address = fc.record({
  address: fc.constantFrom("127.0.0.1", "::1", "10.0.0.7"),
  port: fc.nat(65_535),
});
const id = fc.constantFrom(
  "spiffe://cluster.local/ns/shop/sa/web" as const,
  "spiffe://cluster.local/ns/shop/sa/api" as const,
);
const serialNumber = fc.constantFrom("01", "5d1d0e0c");

const call: fc.Arbitrary<CallFacts> = fc
  .record({
    reporter: fc.constantFrom("source", "destination"),
    startedAt: fc.constant(new Date(0)),
    remote: address,
    local: address,
    serverName: maybe(text),
    identities: maybe(fc.record({ source: fc.record({ id, serialNumber }), destination: id })),
    cluster: maybe(fc.constantFrom("inbound|8080||", "outbound|80||api")),
  })
  .map((one) => withoutUndefined<CallFacts>(one));
const ends: fc.Arbitrary<UpstreamEnds> = fc
  .record({
    local: address,
    mutualTls: maybe(
      fc.record({
        own: fc.record({ id, serialNumber, notAfter: fc.constant(new Date(0)) }),
        peer: id.map((name) => ({ id: name }) as NonNullable<UpstreamEnds["mutualTls"]>["peer"]),
      }),
    ),
  })
  .map((one) => withoutUndefined<UpstreamEnds>(one));
const outcome: fc.Arbitrary<Outcome> = fc
  .record({
    status: fc.option(fc.integer({ min: 100, max: 999 })),
    flags: fc.constantFrom("-", "DC", "UF", "UO"),
    details: fc.oneof(fc.constant("via_upstream"), text),
    bytesReceived: fc.maxSafeNat(),
    bytesSent: fc.maxSafeNat(),
    target: maybe(address),
    ends: maybe(ends),
    transportFailure: maybe(text),
  })
  .map((one) => withoutUndefined<Outcome>(one));
const exchange: fc.Arbitrary<Exchange> = fc
  .record({
    startedAt: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2200-01-01") }),
    protocol: fc.constantFrom("HTTP/1.0", "HTTP/1.1", "HTTP/2"),
    method: text,
    path: text,
    authority: maybe(text),
    fields: fc.array(fc.tuple(fc.constantFrom(...NAMES), text), { maxLength: 5 }),
    decision: maybe(decision),
  })
  .map(({ fields, ...rest }) => ({
    ...rest,
    headers: heldFields(fields),
  })) as unknown as fc.Arbitrary<Exchange>;

/** As they came, each character one byte. */
function heldFields(fields: readonly (readonly [string, string])[]): HeldFields {
  const texts = fields.flat().map((one) => Buffer.from(one, "latin1"));
  const bytes = Buffer.concat(texts);
  const ends = texts.map((_, index) => Buffer.concat(texts.slice(0, index + 1)).length);
  const ranges = Uint32Array.from(ends.flatMap((end, index) => [ends[index - 1] ?? 0, end]));
  const ids = Uint8Array.from(fields, (_, index) =>
    fieldIdOf(bytes, ranges[4 * index] ?? 0, ranges[4 * index + 1] ?? 0),
  );
  const held = new HeldFields();
  held.load({ bytes, count: fields.length, ranges, ids, goesOn: () => true });
  return held;
}

/** What `exactOptionalPropertyTypes` asks for. */
function withoutUndefined<T>(value: Record<string, unknown>): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
}

test("OBS-2 law: a line is byte for byte the entry's, also when its texts are known already", () => {
  const lines = new AccessLines();
  const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> =>
    fc.array(one, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(few(call), few(exchange), few(outcome), (calls, exchanges, outcomes) => {
      for (const one of calls) {
        for (const each of exchanges) {
          for (const end of outcomes) {
            const recorded = { outcome: end, duration: 12 };
            const written = lines.request(one, each, recorded);
            assert.equal(String(written), formatAccessLogEntry(requestEntry(one, each, recorded)));
          }
        }
      }
    }),
    { numRuns: 150 },
  );
});
