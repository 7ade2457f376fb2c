import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAuthority, parseRequestTarget } from "./request-target.ts";

const read: [target: string, hosts: string[], authority: string | undefined, path: string][] = [
  ["/a?b", ["api:8080"], "api:8080", "/a?b"],
  ["*", ["api"], "api", "*"],
  ["/", [], undefined, "/"],
  ["//evil/x", ["api"], "api", "//evil/x"],
  ["http://api:8080/a", ["other"], "api:8080", "/a"],
  ["HTTP://api", ["api"], "api", "/"],
  ["http://api?q", ["api"], "api", "/?q"],
  ["http://[::1]:80/a", ["api"], "[::1]:80", "/a"],
];
for (const [target, hosts, authority, path] of read) {
  test(`AP-109, QK-6: ${target} with Host ${hosts.join()} is ${authority} ${path}`, () => {
    assert.deepEqual(parseRequestTarget(target, hosts), { authority, path });
  });
}

const refused: [target: string, hosts: string[], problem: RegExp][] = [
  ["/", ["a", "b"], /several/],
  ["/", ["a", "a"], /several/],
  ["/", ["a/b"], /no authority/],
  ["/", ["user@a"], /no authority/],
  ["/", ["a b"], /no authority/],
  ["http://user@a/", ["a"], /neither/],
  ["http:///a", ["a"], /neither/],
  ["ftp://a/", ["a"], /neither/],
  ["a:80", ["a"], /neither/],
  ["", ["a"], /neither/],
];
for (const [target, hosts, problem] of refused) {
  test(`QK-6: ${target} with Host ${hosts.join()} is refused`, () => {
    const result = parseRequestTarget(target, hosts);
    assert.match("problem" in result ? result.problem : "accepted", problem);
  });
}

test("an authority is a lower-case host without closing dot, and a port", () => {
  assert.deepEqual(parseAuthority("API.production.:8080"), { host: "api.production", port: 8080 });
  assert.deepEqual(parseAuthority("[::1]"), { host: "::1", port: undefined });
  assert.equal(parseAuthority("a@b"), undefined);
});
