import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { keySourceNotices } from "./key-source-notices.ts";

const tokens = (keys: string): string => `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: shop}
spec:
  jwtRules:
  - {issuer: "https://login", ${keys}}
`;
const LISTED = `---
hauberk: {jwks: {allowedAddresses: ["127.0.0.0/8"]}}
`;

const rows: readonly [what: string, keys: string, told: RegExp | undefined][] = [
  [
    "loopback",
    'jwksUri: "https://127.0.0.1:9/keys"',
    /^names an address: 127\.0\.0\.1 is not a pub/,
  ],
  ["a private address", 'jwksUri: "http://10.1.2.3/keys"', /list it or its range in hauberk\.jwks/],
  ["IPv6", 'jwksUri: "https://[::1]/keys"', /::1 is not a public address/],
  ["a cloud's metadata", 'jwksUri: "http://169.254.169.254/x"', /never fetched from there/],
  ["a public address", 'jwksUri: "https://8.8.8.8/keys"', undefined],
  ["a name", 'jwksUri: "https://login.example.com/keys"', undefined],
  ["keys that are written", "jwks: '{\"keys\":[]}'", undefined],
];
for (const [what, keys, told] of rows) {
  test(`JWT-85: keys of ${what}: ${told === undefined ? "nothing is told" : "told"}`, () => {
    const notices = keySourceNotices(resourcesOf(tokens(keys)));
    assert.equal(notices.length, told === undefined ? 0 : 1);
    if (told === undefined) return;
    assert.match(notices[0]?.message ?? "", told);
    assert.equal(notices[0]?.path, "spec.jwtRules[0].jwksUri");
    assert.equal(notices[0]?.source.line, 6);
  });
}

test("JWT-85: nothing is told of an address that the mesh configuration lists", () => {
  const text = tokens('jwksUri: "https://127.0.0.1:9/keys"');
  assert.deepEqual(keySourceNotices(resourcesOf(text + LISTED)), []);
});
