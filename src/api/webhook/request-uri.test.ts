import assert from "node:assert/strict";
import { test } from "node:test";
import { requestUriScheme, urlScheme } from "./request-uri.ts";

const schemes: [text: string, scheme: string][] = [
  ["https://example.com/a", "https"],
  ["OCI://example.com/a", "oci"],
  ["file:///a", "file"],
  ["localhost:8080/a", "localhost"],
  ["http://user:secret@example.com/a", "http"],
  ["http://[::1]:80/a", "http"],
  ["http://[fe80::1%25eth0]/a", "http"],
  ["http://é.com/a", "http"],
  ["http://example.com/?%zz", "http"],
  ["oci://a:b:80/c", "oci"],
  ["/a", ""],
  ["///a", ""],
  ["*", ""],
];
for (const [text, scheme] of schemes) {
  test(`${text} has the scheme "${scheme}"`, () => assert.equal(requestUriScheme(text), scheme));
}

const unreadable = [
  "",
  "example.com/a",
  "127.0.0.1:80/a",
  ":a",
  "http://exa mple.com/a",
  "http://example.com/%zz",
  "http://example.com/#%zz",
  "http://example.com:b/a",
  "http://a:b:80/c",
  "http://[::1/a",
  "http://[1.2.3.4]/a",
  "http://[fe80::1%eth0]/a",
  "http://a[b]/c",
  "http://us er@example.com/a",
  "http://h%41/a",
  "http://example.com#a",
  "//exa mple.com/a",
  "http://example.com/\u0001",
];
for (const text of unreadable) {
  test(`${JSON.stringify(text)} is not read`, () => {
    assert.equal(requestUriScheme(text), undefined);
  });
}

const urls: [text: string, scheme: string | undefined][] = [
  ["https://example.com/a", "https"],
  ["http://example.com#a", "http"],
  ["http://example.com/a#\u0001", "http"],
  ["http:%zz", "http"],
  ["http://é.com", "http"],
  ["http://[fe80::1%25eth0]:80", "http"],
  ["http:///a", "http"],
  ["http://example.com/#%zz", undefined],
  ["http://example.com/%zz", undefined],
  ["http://[fe80::1%eth0]", undefined],
  ["http://[a]", undefined],
  ["http://é@example.com", undefined],
  ["//example.com", undefined],
  ["/a", undefined],
  ["1http://example.com", undefined],
];
for (const [text, scheme] of urls) {
  test(`VAL-42 ${JSON.stringify(text)} as a reference has the scheme ${scheme}`, () => {
    assert.equal(urlScheme(text), scheme);
  });
}
