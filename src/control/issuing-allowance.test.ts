import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertificateHolder } from "../ca/issued-certificates.ts";
import { spiffeId } from "../identity/spiffe-id.ts";
import { IssuingAllowance } from "./issuing-allowance.ts";

const start = Date.parse("2026-03-04T05:06:07Z");
const SECOND_MS = 1_000;

function allowanceAt(valid = 0) {
  let now = start;
  const clock = { now: () => new Date(now) };
  const allowance = new IssuingAllowance({ clock, issueLog: { validOf: () => valid } });
  return {
    pass(ms: number): void {
      now += ms;
    },
    granted: (count: number, holder: CertificateHolder): number =>
      Array.from({ length: count }, () => allowance.take(holder)).filter((one) => one === undefined)
        .length,
  };
}

function holderOf(podName: string, serviceAccount: string, identity = serviceAccount) {
  const namespace = "shop";
  return {
    identity: spiffeId({ trustDomain: "cluster.local", namespace, serviceAccount: identity }),
    pod: { namespace, podName, podUid: `uid of ${podName}`, serviceAccount },
  };
}

const cart = holderOf("cart-0", "cart");

test("a pod that asks as fast as it can gets sixty and one a second, its neighbours all they ask for", () => {
  const { granted, pass } = allowanceAt();
  assert.equal(granted(1_000, cart), 60);
  assert.equal(granted(10, holderOf("cart-1", "cart")), 10);
  assert.equal(granted(10, holderOf("bank-0", "bank")), 10);
  pass(10 * SECOND_MS);
  assert.equal(granted(1_000, cart), 10);
});

for (const [what, everyMs] of [
  ["the shortest certificates there are, of two seconds", SECOND_MS],
  ["certificates of 60 s", 30 * SECOND_MS],
] as const)
  test(`a pod that renews ${what} is never refused, restarts included`, () => {
    const { granted, pass } = allowanceAt();
    for (let hour = 0; hour < 24; hour++) {
      assert.equal(granted(2, cart), 2);
      for (let ms = 0; ms < 3_600_000; ms += everyMs) {
        pass(everyMs);
        assert.equal(granted(1, cart), 1, `after ${hour} h ${ms} ms`);
      }
    }
  });

test("all pods of a large account start at once, twice", () => {
  const { granted } = allowanceAt();
  for (let number = 0; number < 1_000; number++)
    assert.equal(granted(2, holderOf(`cart-${number}`, "cart")), 2, `${number}`);
  assert.equal(granted(1, holderOf("cart-1000", "cart")), 0);
  assert.equal(granted(1, holderOf("bank-0", "bank")), 1);
});

test("a node agent has as much for each of its pods as they would have themselves (CA-9)", () => {
  const { granted } = allowanceAt();
  for (let number = 0; number < 200; number++)
    assert.equal(granted(2, holderOf("ztunnel-0", "ztunnel", `app-${number}`)), 2);
});

test("whoever has a thousand certificates that are valid gets no further one", () => {
  assert.equal(allowanceAt(999).granted(1, cart), 1);
  assert.equal(allowanceAt(1_000).granted(1, cart), 0);
});

test("a clock that is set back gives nothing and takes nothing away", () => {
  const { granted, pass } = allowanceAt();
  assert.equal(granted(30, cart), 30);
  pass(-86_400_000);
  assert.equal(granted(60, cart), 30);
  pass(SECOND_MS);
  assert.equal(granted(60, cart), 1);
});
