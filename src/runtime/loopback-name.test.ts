import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopbackName } from "./loopback-name.ts";

for (const [host, expected] of [
  ["127.0.0.1", true],
  ["127.0.0.1:15090", true],
  ["Localhost:1", true],
  ["[::1]:1", true],
  ["", false],
  ["evil.example", false],
  ["127.0.0.1.evil.example", false],
  ["localhost:1@evil.example", false],
  ["evil.example#127.0.0.1", false],
] as const) {
  test(`${host} is ${expected ? "a" : "no"} name of loopback`, () => {
    assert.equal(isLoopbackName(host), expected);
  });
}
