import assert from "node:assert/strict";
import { test } from "node:test";
import { headerValueProblem } from "./header-value.ts";

const good = [
  ...["", "a", "a\tb", "100%%", "%HOSTNAME%", "a %HOSTNAME% b", "%%%A%", "\u0080"],
  ...["%REQ(x)%", '%A(["b", "c"])%', '%A( [ "b" ] ) %', '%A(["\\""])%', '%A(["a)%'],
];
for (const value of good) {
  test(`${value} may be set`, () => {
    assert.equal(headerValueProblem(value), undefined);
  });
}

const unfinished = [
  ...["%", "abc%123", "%START_TIME%%", "%A(", "%A([x])%", '%A(["a" x])%', '%A(["a"]x)%'],
  ...["%A(a)x%", '%A(["\\', '%D(a"b)%'],
];
for (const value of unfinished) {
  test(`${value} may not be set: a variable is not whole`, () => {
    assert.match(headerValueProblem(value) ?? "", /begins no whole variable/);
  });
}

for (const value of ["a\nb", "\0", "\x7f"]) {
  test(`${JSON.stringify(value)} may not be set: it has a control character`, () => {
    assert.match(headerValueProblem(value) ?? "", /control character/);
  });
}
