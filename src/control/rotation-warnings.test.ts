import assert from "node:assert/strict";
import { test } from "node:test";
import { authorityStatus, sidecarState } from "../../test/kit/sidecar-states.ts";
import { rotationWarnings, STANDSTILL_MS } from "./rotation-warnings.ts";
import type { SidecarState } from "./sidecar-state.ts";

const SINCE = new Date("2026-01-31T12:00:00Z");
const signer = "old";
const renewed = sidecarState("shop/api-0", { signer: "new" });
const behind = sidecarState("shop/web-0", { signer, trust: "older" });
const unhurried = sidecarState("shop/cart-0", { signer });
const gone: SidecarState = { pod: "shop/late-0", connection: "absent" };

const CASES = [
  ["prepared", [renewed, unhurried], undefined],
  ["prepared", [renewed, behind], /its activation waits: shop\/web-0 has not acknowledged/],
  ["retiring", [renewed, unhurried], undefined],
  ["retiring", [renewed, gone], /its end waits: shop\/late-0 has not connected$/],
  ["tainted", [renewed], undefined],
  ["tainted", [renewed, unhurried], /its revocation waits: shop\/cart-0 still presents/],
  ["tainted", [gone, gone, gone, gone, gone], /, and 2 more$/],
] as const;
for (const [state, sidecars, words] of CASES) {
  test(`beside a ${state} authority, ${sidecars.map(({ pod }) => pod)}: ${words ?? "nothing"}`, () => {
    const other = state === "prepared" ? "new" : "old";
    const authorities = [
      authorityStatus(other === "new" ? "old" : "new", "active"),
      authorityStatus(other, state),
    ];
    const inputs = { authorities, sidecars, trust: "newest" };
    const at = (ms: number) => rotationWarnings(inputs, new Date(SINCE.getTime() + ms));
    assert.deepEqual(at(STANDSTILL_MS - 1), [], "it may take as long");
    const told = at(STANDSTILL_MS).map(({ text }) => text);
    assert.equal(told.length, words === undefined ? 0 : 1);
    if (words !== undefined) assert.match(told[0] ?? "", words);
  });
}
