import assert from "node:assert/strict";
import { test } from "node:test";
import { authorityStatus, sidecarState } from "../../test/kit/sidecar-states.ts";
import type { AuthorityStatus } from "../ca/rotation.ts";
import { certificateWarnings } from "./certificate-warnings.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOON = new Date("2026-01-31T12:00:00Z").getTime();
const api = sidecarState("shop/api-0", { signer: "a" });

const LEAF = [
  { minute: 0, says: undefined },
  { minute: 30.5, says: undefined },
  { minute: 32, says: /^warn shop\/api-0: more than 50 % .* it ends at 2026-01-31T13:00/ },
  { minute: 44.9, says: /^warn shop\/api-0: more than 50 %/ },
  { minute: 45, says: /^warn shop\/api-0: more than 75 %/ },
  { minute: 54, says: /^error shop\/api-0: more than 90 %/ },
  { minute: 60, says: /^error shop\/api-0: its certificate ended at/ },
];
for (const { minute, says } of LEAF) {
  test(`a leaf of one hour, ${minute} minutes old: ${says ?? "nothing"}`, () => {
    const now = new Date(NOON + minute * MINUTE_MS);
    const warnings = certificateWarnings({ sidecars: [api], authorities: [] }, now);
    const said = warnings.map(({ level, text }) => `${level} ${text}`);
    if (says === undefined) assert.deepEqual(said, []);
    else assert.match(said.join("\n"), says);
    assert.ok(said.length <= 1);
  });
}

test("each threshold, and each certificate, is a warning of its own", () => {
  const keys = [32, 40, 46, 55].map(
    (minute) =>
      certificateWarnings(
        { sidecars: [api], authorities: [] },
        new Date(NOON + minute * MINUTE_MS),
      )[0]?.key,
  );
  assert.equal(keys[0], keys[1]);
  assert.equal(new Set(keys).size, 3);
});

function authorityEnding(
  inDays: number,
  { lifeDays, origin }: { readonly lifeDays: number; readonly origin: AuthorityStatus["origin"] },
): AuthorityStatus {
  const chainNotAfter = new Date(NOON + inDays * DAY_MS);
  const notBefore = new Date(chainNotAfter.getTime() - lifeDays * DAY_MS);
  return authorityStatus("a", "active", { origin, notBefore, chainNotAfter });
}

const AUTHORITY: readonly {
  readonly inDays: number;
  readonly lifeDays: number;
  readonly origin?: "self-signed";
  readonly says: RegExp | undefined;
}[] = [
  { inDays: 61, lifeDays: 3650, says: undefined },
  { inDays: 60, lifeDays: 3650, says: /^warn the active authority a, or .* ends at .*ca prepare/ },
  { inDays: 59, lifeDays: 90, says: undefined },
  { inDays: 30, lifeDays: 90, says: /^warn / },
  { inDays: 60, lifeDays: 3650, origin: "self-signed", says: /^warn / },
  { inDays: 30, lifeDays: 90, origin: "self-signed", says: undefined },
  { inDays: 10, lifeDays: 90, origin: "self-signed", says: undefined },
  { inDays: 9, lifeDays: 90, origin: "self-signed", says: /^warn / },
  { inDays: 0, lifeDays: 90, says: /^error the active authority a has ended/ },
];
for (const { inDays, lifeDays, origin = "custom", says } of AUTHORITY) {
  test(`a ${origin} authority of ${lifeDays} days that ends in ${inDays}: ${says ?? "nothing"}`, () => {
    const authorities = [authorityEnding(inDays, { lifeDays, origin })];
    const warnings = certificateWarnings({ sidecars: [], authorities }, new Date(NOON));
    const said = warnings.map(({ level, text }) => `${level} ${text}`);
    if (says === undefined) assert.deepEqual(said, []);
    else assert.match(said.join("\n"), says);
  });
}

test("CA-50: an authority that its own list names is an error, whatever its age", () => {
  const revoked = "CN=Second is revoked by CN=Root";
  const authorities = [
    authorityStatus("a", "active", { revoked }),
    authorityStatus("b", "retiring"),
  ];
  const warnings = certificateWarnings({ sidecars: [], authorities }, new Date(NOON));
  assert.deepEqual(
    warnings.map(({ level }) => level),
    ["error"],
  );
  assert.match(
    warnings[0]?.text ?? "",
    /^the active authority a is revoked .*CN=Second is revoked/,
  );
});
