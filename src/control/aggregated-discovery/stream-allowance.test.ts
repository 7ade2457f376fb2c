import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamAllowance, StreamsSpentError } from "./stream-allowance.ts";

const SECOND_MS = 1_000;

function allowanceFrom(start: number) {
  let now = start;
  const allowance = new StreamAllowance({ now: () => new Date(now) });
  return {
    pass(ms: number): void {
      now += ms;
    },
    granted(count: number, podName: string, podUid = "1"): number {
      const pod = { namespace: "shop", podName, podUid, serviceAccount: "cart" };
      const isGranted = (): boolean => {
        try {
          allowance.take({ pod });
          return true;
        } catch (error) {
          assert.ok(error instanceof StreamsSpentError);
          return false;
        }
      };
      return Array.from({ length: count }, isGranted).filter((one) => one).length;
    },
  };
}

const START = Date.parse("2026-11-23T10:00:00Z");

test("whoever comes back as fast as it can gets sixty streams, and four a second; its neighbours, and its next self, all they want", () => {
  const { granted, pass } = allowanceFrom(START);
  assert.equal(granted(1_000, "cart-0"), 60);
  assert.equal(granted(10, "cart-1"), 10);
  assert.equal(granted(10, "cart-0", "2"), 10);
  pass(10 * SECOND_MS);
  assert.equal(granted(1_000, "cart-0"), 40);
});

test("a thousand pods that come back at once, twice, are all served", () => {
  const { granted } = allowanceFrom(START);
  for (let number = 0; number < 1_000; number++)
    assert.equal(granted(2, `cart-${number}`), 2, `${number}`);
});

for (const [what, streams, everyMs] of [
  ["certificates of two seconds, with an Envoy and three gRPC programs", 4, SECOND_MS],
  ["certificates of twenty seconds, with as many streams as a pod may have", 32, 10 * SECOND_MS],
  ["an Envoy that ends as soon as it is started, in a crash loop", 1, SECOND_MS],
] as const)
  test(`is never met by a pod of ${what}`, () => {
    const { granted, pass } = allowanceFrom(START);
    for (let ms = 0; ms < 3_600_000; ms += everyMs) {
      assert.equal(granted(streams, "cart-0"), streams, `after ${ms} ms`);
      pass(everyMs);
    }
  });
