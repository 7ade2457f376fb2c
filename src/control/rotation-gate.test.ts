import assert from "node:assert/strict";
import { test } from "node:test";
import { authorityStatus, sidecarState } from "../../test/kit/sidecar-states.ts";
import type { RotationStep } from "../ca/rotation.ts";
import { blockersOf, breakage } from "./rotation-gate.ts";
import type { SidecarState } from "./sidecar-state.ts";

const authorities = [authorityStatus("new", "active"), authorityStatus("old", "tainted")];
const ready = sidecarState("shop/ready-0", { signer: "new" });
const late = sidecarState("shop/late-0", { signer: "new", trust: "older" });
const former = sidecarState("shop/former-0", { signer: "old" });
const gone = sidecarState("shop/gone-0", { signer: "old", connection: "absent" });
const unknown: SidecarState = { pod: "shop/unknown-0", connection: "absent" };

function blocked(step: RotationStep, ...sidecars: SidecarState[]): readonly string[] {
  const blockers = blockersOf(step, { sidecars, authorities, trust: "newest" });
  return blockers.map(({ pod, lacks }) => `${pod} ${lacks}`);
}

const ROOTS = "has not acknowledged the newest roots";
const FORMER = "still presents a certificate of old, until 2026-01-31T13:00:00.000Z";

test("activate waits for the newest roots on every sidecar, whoever signed its certificate", () => {
  assert.deepEqual(blocked("activate", ready, former), []);
  assert.deepEqual(blocked("activate", ready, late, gone, unknown), [
    `shop/late-0 ${ROOTS}`,
    "shop/gone-0 is not connected any more",
    "shop/unknown-0 has not connected",
  ]);
});

test("revoke waits for a certificate of the active authority too", () => {
  assert.deepEqual(blocked("revoke", ready), []);
  assert.deepEqual(blocked("revoke", late, former, gone, unknown), [
    `shop/late-0 ${ROOTS}`,
    `shop/former-0 ${FORMER}`,
    `shop/gone-0 is not connected any more; ${FORMER}`,
    "shop/unknown-0 has not connected",
  ]);
});

test("a certificate of an authority that is not held is named by its key", () => {
  const foreign = sidecarState("shop/foreign-0", { signer: "nobody" });
  assert.deepEqual(blocked("revoke", foreign), [
    "shop/foreign-0 still presents a certificate of key of nobody, until 2026-01-31T13:00:00.000Z",
  ]);
});

test("an intermediate renewed with its key counts as the active one", () => {
  const sameKey = [
    authorityStatus("old", "retiring", { keyIdentifier: "one key" }),
    authorityStatus("new", "active", { keyIdentifier: "one key" }),
  ];
  const sidecar = sidecarState("shop/api-0", { signer: "x" });
  const certificate = sidecar.certificate && {
    ...sidecar.certificate,
    authorityKeyIdentifier: "one key",
  };
  const sidecars = [{ ...sidecar, ...(certificate && { certificate }) }];
  assert.deepEqual(blockersOf("revoke", { sidecars, authorities: sameKey, trust: "newest" }), []);
});

test("no other step waits for anybody", () => {
  for (const step of ["prepare", "taint", "rollback"] as const)
    assert.deepEqual(blocked(step, late, former, gone, unknown), []);
});

test("what force would break is said in words", () => {
  const two = [former, gone].map(({ pod }) => ({ pod, lacks: "" }));
  assert.match(breakage("activate", two), /^2 sidecars will refuse the new certificates/);
  assert.match(
    breakage("revoke", two.slice(1)),
    /^1 sidecar will be refused by all others until it has/,
  );
});
