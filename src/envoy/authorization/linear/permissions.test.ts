import assert from "node:assert/strict";
import { test } from "node:test";
import { permission } from "./permissions.ts";

const TABLE: readonly [path: string, written: RegExp][] = [
  ["/a/{*}", /"pathTemplate":"\/a\/\*"/],
  ["/{*}/{*}/{*}/{*}/{**}", /"pathTemplate":/],
  ["a/{*}", /"regex":"a\/\[/],
  ["//{*}", /"regex":"\/\/\[/],
  ["{**}", /"regex":"\[/],
  ["/{*}/{*}/{*}/{*}/{*}/{*}", /"regex":"\/\[/],
];

for (const [path, written] of TABLE) {
  test(`AP-72: ${path} is a template exactly where Envoy survives it as one`, () => {
    const demand = {
      subject: { about: "path" },
      values: [path],
      wants: "one",
      meeting: "lets-in",
    } as const;
    assert.match(JSON.stringify(permission(demand, (port) => port)), written);
  });
}
