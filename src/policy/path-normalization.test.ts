import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PATH_NORMALIZATIONS } from "../api/mesh-settings.ts";
import { normalizePath, pathRefusal } from "./path-normalization.ts";

const table: [received: string, base: string, merged: string, decoded: string][] = [
  ["/a/../b", "/b", "/b", "/b"],
  ["/a//b", "/a//b", "/a/b", "/a/b"],
  ["/a%2Fb", "/a%2Fb", "/a%2Fb", "/a/b"],
  ["/a/%2e%2e/b", "/b", "/b", "/b"],
  ["/a/%2E./b", "/b", "/b", "/b"],
  ["/a%2f%2e%2e/b", "/a%2f../b", "/a%2f../b", "/b"],
  ["/a\\b", "/a/b", "/a/b", "/a/b"],
  ["/a%5Cb", "/a%5Cb", "/a%5Cb", "/a/b"],
  ["/A", "/A", "/A", "/A"],
  ["/a/./b", "/a/b", "/a/b", "/a/b"],
  ["/a%252Fb", "/a%252Fb", "/a%252Fb", "/a%252Fb"],
  ["/%61dmin", "/admin", "/admin", "/admin"],
  ["/x/%2E%2e/admin", "/admin", "/admin", "/admin"],
  ["/../../a", "/a", "/a", "/a"],
  ["/a/..", "/", "/", "/"],
  ["/a/b/.", "/a/b/", "/a/b/", "/a/b/"],
  ["/a/...", "/a/...", "/a/...", "/a/..."],
  ["/a//../b", "/a/b", "/a/b", "/a/b"],
  ["/;/a;x=1", "/;/a;x=1", "/;/a;x=1", "/;/a;x=1"],
  ["/%c0%af", "/%c0%af", "/%c0%af", "/%c0%af"],
  ["/%2%65%2%65/a", "/%252e%252e/a", "/%252e%252e/a", "/%252e%252e/a"],
  ["/%%32%66", "/%252f", "/%252f", "/%252f"],
  ["/%%32", "/%2", "/%2", "/%2"],
  ["/%%32e/", "/%252e/", "/%252e/", "/%252e/"],
  ["/%2%35", "/%2525", "/%2525", "/%2525"],
  ["/%a%30%31/%%%37%43|", "/%25a01/%%257C%7C", "/%25a01/%%257C%7C", "/%25a01/%%257C%7C"],
  ["/%zz|", "/%zz%7C", "/%zz%7C", "/%zz%7C"],
  [
    '/a"<>^`{|}b',
    "/a%22%3C%3E%5E%60%7B%7C%7Db",
    "/a%22%3C%3E%5E%60%7B%7C%7Db",
    "/a%22%3C%3E%5E%60%7B%7C%7Db",
  ],
  ["/a|b?c=|", "/a%7Cb?c=|", "/a%7Cb?c=|", "/a%7Cb?c=|"],
  ["/a/..;x=1/b", "/b", "/b", "/b"],
  ["/a/.;/b/..;", "/a/", "/a/", "/a/"],
  ["/x/a/..;\\b", "/x/b", "/x/b", "/x/b"],
  ["/x/a\\..;/b", "/x/b", "/x/b", "/x/b"],
  ["/x/a%2f..;/b", "/x/a%2f..;/b", "/x/a%2f..;/b", "/x/b"],
  ["/x/a/..;%5cb/c", "/x/c", "/x/c", "/x/b/c"],
  ["/a/%2e%2e/..;/b", "/b", "/b", "/b"],
  ["/a/%2e%2e;/b", "/b", "/b", "/b"],
  ["/x//a//..;//b", "/x//a//b", "/x/a/b", "/x/a/b"],
  ["/%", "/%", "/%", "/%"],
  ["*", "*", "*", "*"],
  ["/a/../b?c=/../%2F//", "/b?c=/../%2F//", "/b?c=/../%2F//", "/b?c=/../%2F//"],
];
for (const [received, base, merged, decoded] of table) {
  test(`AP-100..AP-106 ${received}`, () => {
    assert.equal(normalizePath(received, "NONE"), received);
    assert.equal(normalizePath(received, "DEFAULT"), base);
    assert.equal(normalizePath(received, "BASE"), base);
    assert.equal(normalizePath(received, "MERGE_SLASHES"), merged);
    assert.equal(normalizePath(received, "DECODE_AND_MERGE_SLASHES"), decoded);
  });
}

const fragments: [received: string, none: string, base: string][] = [
  ["/app#x", "/app", "/app"],
  ["/app#x?y", "/app", "/app"],
  ["/app?x#y", "/app?x", "/app?x"],
  ["/a/../app#/..", "/a/../app", "/app"],
  ["/#", "/", "/"],
  ["#/a", "", ""],
];
for (const [received, none, base] of fragments) {
  test(`AP-107 a fragment is cut off: ${received}`, () => {
    assert.equal(normalizePath(received, "NONE"), none);
    assert.equal(normalizePath(received, "BASE"), base);
  });
}

test("AP-103: a path of slashes alone keeps two of them, as with Envoy", () => {
  for (const path of ["//", "///", "/a/..//"])
    assert.equal(normalizePath(path, "MERGE_SLASHES"), "//");
  assert.equal(normalizePath("/%2f?/a", "DECODE_AND_MERGE_SLASHES"), "//?/a");
  assert.equal(normalizePath("/", "MERGE_SLASHES"), "/");
});

const piece = fc.constantFrom(
  ..."/.;%25eEfFcC?#a\\|{",
  "/%2e.;",
  "%2e",
  "%2F",
  "%5c",
  "..",
  "//",
  "%00",
  "ü",
  "%3",
);
const anyPath = fc.array(piece, { maxLength: 24 }).map((pieces) => `/${pieces.join("")}`);

for (const mode of PATH_NORMALIZATIONS) {
  test(`law: normalising twice changes nothing more (${mode})`, () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const once = normalizePath(path, mode);
        assert.equal(normalizePath(once, mode), once);
      }),
      { numRuns: 2000 },
    );
  });
}

test("law: no dot segment, and no escape of a letter, survives BASE (QK-3)", () => {
  fc.assert(
    fc.property(anyPath, (path) => {
      const [pathname = ""] = normalizePath(path, "BASE").split("?", 1);
      assert.ok(!pathname.split("/").some((segment) => segment === "." || segment === ".."));
      assert.doesNotMatch(pathname, /(?<!%|%[0-9a-f])%(2e|6[1-9a-f])/i);
      assert.doesNotMatch(pathname, /\\/);
    }),
    { numRuns: 2000 },
  );
});

test("law: a path in which nothing stands out is as it would be, looked at in full (AP-107)", () => {
  fc.assert(
    fc.property(anyPath, fc.constantFrom(...PATH_NORMALIZATIONS), (path, mode) => {
      // An empty fragment is cut off, and keeps nobody from the full look.
      assert.equal(normalizePath(path, mode), normalizePath(`${path}#`, mode));
    }),
    { numRuns: 2000 },
  );
});

test("law: what is not refused has no dot segment with parameters in any form (AP-102)", () => {
  fc.assert(
    fc.property(anyPath, fc.constantFrom("BASE", "DECODE_AND_MERGE_SLASHES"), (path, mode) => {
      const [pathname = ""] = path.split(/[?#]/, 1);
      const spelt = mode === "BASE" ? pathname : pathname.replace(/%2f|%5c/gi, "/");
      const isAmbiguous = /[/\\](?:\.|%2e){1,2};/i.test(spelt);
      if (isAmbiguous) assert.ok(pathRefusal(path, mode) !== undefined, path);
    }),
    { numRuns: 5000 },
  );
});

const refusals: [path: string, refused: boolean][] = [
  ["/public/..;/admin", true],
  ["/public/.;x=1/admin", true],
  ["/public/%2e%2E;/admin", true],
  ["/public\\..;x/admin", true],
  ["/public/..;", true],
  ["/public/..%3B/admin", false],
  ["/public%2f..;/admin", false],
  ["/a;b=../c;d/...;/..e;", false],
  ["/a?b=/..;", false],
  ["/a#/..;", false],
  ["/admin#x", false],
  ["/admin#%00", false],
  ["/admin%00", true],
  ["/admin?x=%00", false],
  ["/admin", false],
];
for (const [path, refused] of refusals) {
  test(`${path} is ${refused ? "" : "not "}answered with 400`, () => {
    assert.equal(pathRefusal(path, "DEFAULT") !== undefined, refused);
  });
}
test("AP-101 an encoded NUL is left alone where nothing is normalised", () => {
  assert.equal(pathRefusal("/%00", "NONE"), undefined);
  assert.equal(pathRefusal("/..;/", "NONE"), undefined);
});
test("AP-104: where escaped slashes are decoded, they begin a dot segment with parameters, too", () => {
  assert.ok(pathRefusal("/public%5c..;/admin", "DECODE_AND_MERGE_SLASHES") !== undefined);
});
