import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAuthority } from "./parse-authority.ts";

test("an authority is a lower-case host without closing dot, and a port", () => {
  assert.deepEqual(parseAuthority("API.production.:8080"), { host: "api.production", port: 8080 });
  assert.deepEqual(parseAuthority("[::1]"), { host: "::1", port: undefined });
  assert.equal(parseAuthority("a@b"), undefined);
});
