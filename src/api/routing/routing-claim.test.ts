import assert from "node:assert/strict";
import { test } from "node:test";
import { routingClaim } from "./routing-claim.ts";

const cases: readonly (readonly [header: string, path: readonly string[] | undefined])[] = [
  ["@request.auth.claims.group", ["group"]],
  ["@Request.Auth.Claims.a.B", ["a", "B"]],
  ["@request.auth.claims[https://example.com/roles]", ["https://example.com/roles"]],
  ["@request.auth.claims[a][b]", ["a", "b"]],
  ["@request.auth.claims", undefined],
  ["@request.auth.claims.", undefined],
  ["@request.auth.claims[]", undefined],
  ["@request.auth.claims[a", undefined],
  ["@request.auth.claimsgroup", undefined],
  ["x-claims.group", undefined],
];
for (const [header, path] of cases)
  test(`JWT-76: ${header} is ${path === undefined ? "an ordinary header" : path.join(" > ")}`, () =>
    assert.deepEqual(routingClaim(header)?.path, path));
