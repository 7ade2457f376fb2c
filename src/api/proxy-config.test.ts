import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProxyConfig } from "./proxy-config.ts";

const read: [annotation: string, expected: object][] = [
  ["", { proxyMetadata: {} }],
  ["null", { proxyMetadata: {} }],
  ["concurrency: 2", { proxyMetadata: {}, concurrency: 2 }],
  ["proxyMetadata: {A: b}", { proxyMetadata: { A: "b" } }],
  ["proxyHeaders:", { proxyMetadata: {} }],
  ["proxyHeaders: {}", { proxyMetadata: {}, proxyHeaders: {} }],
  ["proxyHeaders: {forwardedClientCert: UNDEFINED}", { proxyMetadata: {}, proxyHeaders: {} }],
  [
    "proxyHeaders: {forwardedClientCert: FORWARD_ONLY, server: {disabled: true}}",
    { proxyMetadata: {}, proxyHeaders: { forwardedClientCert: "FORWARD_ONLY" } },
  ],
  [
    "proxyHeaders: {requestId: {disabled: false}, setCurrentClientCertDetails: {chain: true}}",
    {
      proxyMetadata: {},
      proxyHeaders: {
        requestId: "generated",
        clientCertDetails: ["chain", "subject", "uri", "dns"],
      },
    },
  ],
];
for (const [annotation, expected] of read) {
  test(`OBS-30: "${annotation}" is read`, () => {
    assert.deepEqual(parseProxyConfig(annotation), expected);
  });
}

const refused: [annotation: string, problem: RegExp][] = [
  ["[]", /^is not an object; expected YAML such as/],
  ["a: b: c", /./],
  ["proxyMetadata: {A: 1}", /^proxyMetadata\.A is not a text/],
  ["proxyHeaders: 1", /^proxyHeaders is the number 1; expected a map/],
  ["proxyHeaders: {forwardedClientCert: ALL}", /^proxyHeaders\.forwardedClientCert /],
  ["proxyHeaders: {forwardedClientCerts: SANITIZE}", /^proxyHeaders\.forwardedClientCerts /],
  ["proxyHeaders: {requestId: {disabled: 1}}", /^proxyHeaders\.requestId\.disabled /],
];
for (const [annotation, problem] of refused) {
  test(`OBS-30: "${annotation}" is refused`, () => {
    const answer = parseProxyConfig(annotation);
    assert.match(typeof answer === "string" ? answer : "", problem);
  });
}
