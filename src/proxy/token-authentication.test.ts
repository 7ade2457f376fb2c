import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenAnswer } from "./token-authentication.ts";

const ASKED = { scheme: "https", authority: "a", path: '/x"y?access_token=z' };

test("JWT-35: the challenge names what was asked for, without its query", () => {
  const { status, headers } = tokenAnswer("expired", ASKED);
  assert.equal(status, 401);
  assert.deepEqual(headers, [
    "www-authenticate",
    'Bearer realm="https://a/x\\"y", error="invalid_token"',
  ]);
});

test("a token that nobody had time for is no bad one: 503, without a challenge", () => {
  const { status, headers, details, body } = tokenAnswer("busy", ASKED);
  assert.deepEqual([status, headers], [503, undefined]);
  assert.equal(body, "Too many Jwt signatures are being verified");
  assert.equal(details, `jwt_authn_access_denied{${body.replaceAll(" ", "_")}}`);
});
