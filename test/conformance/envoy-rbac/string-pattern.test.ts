import assert from "node:assert/strict";
import { test } from "node:test";
import { excludedBy } from "../suite-runner.ts";
import { istioTemplate } from "./istio-template.ts";
import { type EnvoyStringMatcher, patternOf, UNSAYABLE_PATTERNS } from "./string-pattern.ts";

const regex = (expression: string): EnvoyStringMatcher => ({ safeRegex: { regex: expression } });

const sayable: [matcher: EnvoyStringMatcher, pattern: string][] = [
  [{ exact: "a" }, "a"],
  [{ prefix: "a" }, "a*"],
  [{ suffix: "a" }, "*a"],
  [{ exact: "a*b" }, "a*b"],
  [regex("^/path$"), "/path"],
  [regex("/a\\.b"), "/a.b"],
  [regex("foo.*"), "foo*"],
  [regex(".*foo"), "*foo"],
  [regex(".*"), "*"],
];
for (const [matcher, pattern] of sayable) {
  test(`AP-40 ${JSON.stringify(matcher)} is ${pattern}`, () => {
    assert.equal(excludedBy(UNSAYABLE_PATTERNS, { matcher }), undefined);
    assert.equal(patternOf(matcher), pattern);
  });
}

for (const matcher of [
  { contains: "a" },
  { exact: "" },
  { exact: "*a" },
  { exact: "a*" },
  { prefix: "*a" },
  { suffix: "a*" },
  regex(".*a.*"),
  regex("a.b"),
  regex("a|b"),
  regex("[ab]"),
  regex("a+"),
  { ...regex("a"), ignoreCase: true },
]) {
  test(`AP-40 no value means ${JSON.stringify(matcher)}`, () => {
    assert.equal(excludedBy(UNSAYABLE_PATTERNS, { matcher })?.outcome, "excluded");
  });
}

const templates: [envoy: string, istio: string | undefined][] = [
  ["/a/*/b", "/a/{*}/b"],
  ["/a/**", "/a/{**}"],
  ["/{x}/{y=*}/{z=**}", "/{*}/{*}/{**}"],
  ["/plain", "/plain"],
  ["/{x}/{x}", undefined],
  ["/{x=a/*}", undefined],
  ["/{1x}", undefined],
  ["/a*", undefined],
  ["/**.mpd", undefined],
  ["/{a}/{b}/{c}/{d}/{e}/{f}", undefined],
];
for (const [envoy, istio] of templates) {
  test(`AP-70 ${envoy} is ${istio ?? "not sayable"}`, () =>
    assert.equal(istioTemplate(envoy), istio));
}
