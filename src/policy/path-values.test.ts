import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionFrom, requestOn } from "../../test/kit/mesh-parts.ts";
import { readPathname } from "./path-values.ts";

const paths: [path: string, pathname: string][] = [
  ["/a", "/a"],
  ["/a?b", "/a"],
  ["/a#b", "/a"],
  ["/a?b#c", "/a"],
  ["/a#b?c", "/a"],
  ["?a", ""],
  ["#a", ""],
  ["#a?b", ""],
  ["", ""],
];
for (const [path, pathname] of paths) {
  test(`AP-54, AP-73 of "${path}" rules read "${pathname}"`, () => {
    assert.equal(readPathname(requestOn(connectionFrom("plaintext"), { path })), pathname);
  });
}
