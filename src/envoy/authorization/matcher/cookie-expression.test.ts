import assert from "node:assert/strict";
import { test } from "node:test";
import { headerAttribute } from "../../../policy/header-attribute.ts";
import type { Connection } from "../../../policy/traffic.ts";
import { cookieExpression } from "./cookie-expression.ts";

const CONNECTION: Connection = {
  sourceAddress: "127.0.0.1",
  sourcePort: 1,
  destinationAddress: "127.0.0.1",
  destinationPort: 80,
};

const TRUST = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [],
  minimumTlsVersion: "TLSv1.2",
} as const;

/** As a callee hears them, lines of HTTP/1 joined with commas; and what Envoy and the engine make of them where a DENY rule asks. */
const rows: [value: string, cookies: string, kept: boolean][] = [
  ["a=1; b=2", "a=1; b=2", true],
  ["a=1; b=2", "a=1,b=2", true],
  ["a=1; b=2", "a=1,,b=2", true],
  ["a=1; b=2", "a=1 , b=2,", true],
  ["a=1; b=2", "b=2,a=1", false],
  ["a=1; b=2", "a=1,b=22", false],
  ["a=1; b*", "a=1,b=2,c=3", true],
  ["a=1;*", "a=1,b=2", true],
  ["a=1; b*", "x=0,a=1,b=2", false],
  ["*a=1; b=2", "x=0,a=1,b=2", true],
  ["*a=1; b=2", "a=1,b=2,c=3", false],
];
for (const [value, cookies, kept] of rows) {
  test(`a cookie ${JSON.stringify(value)} is kept out of ${JSON.stringify(cookies)}: ${kept}`, () => {
    const expression = cookieExpression(value).replaceAll("\\C", "[^]");
    assert.equal(new RegExp(`^${expression}$`).test(cookies), kept);
    const matches = headerAttribute("cookie").keepingOut?.compile([value], {
      trust: TRUST,
      namespace: "shop",
      matching: "keeps-out",
    });
    const traffic = {
      connection: CONNECTION,
      remoteAddress: "127.0.0.1",
      header: (name: string) => (name === "cookie" ? cookies : undefined),
    };
    assert.equal(matches?.(traffic), kept);
  });
}
