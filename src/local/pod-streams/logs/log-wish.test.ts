import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLogWish } from "./log-wish.ts";

const NOW = Date.parse("2026-01-01T00:01:00Z");
const wish = (query: string): ReturnType<typeof parseLogWish> =>
  parseLogWish(new URLSearchParams(query), NOW);

test("without parameters all there is is told, and nothing more", () => {
  assert.deepEqual(wish(""), {
    follow: false,
    previous: false,
    timestamps: false,
    since: undefined,
    tailLines: undefined,
    limitBytes: undefined,
  });
});

test("every parameter that kubectl sends is heeded", () => {
  const all = wish(
    "follow=true&previous=1&timestamps=true&sinceSeconds=10&tailLines=0&limitBytes=5",
  );
  assert.deepEqual(all, {
    follow: true,
    previous: true,
    timestamps: true,
    since: NOW - 10_000,
    tailLines: 0,
    limitBytes: 5,
  });
  assert.equal(wish("sinceTime=2026-01-01T00:00:30Z").since, NOW - 30_000);
});

const REFUSED: readonly (readonly [query: string, problem: RegExp])[] = [
  ["tailLines=-1", /tailLines is "-1"/],
  ["tailLines=1e9", /tailLines/],
  ["limitBytes=0", /limitBytes must be greater/],
  ["sinceTime=yesterday", /sinceTime is "yesterday"/],
  ["sinceSeconds=1&sinceTime=2026-01-01T00:00:30Z", /at most one/],
];
for (const [query, problem] of REFUSED) {
  test(`refused: ${query}`, () => {
    assert.throws(() => wish(query), { status: 400, message: problem });
  });
}
