import assert from "node:assert/strict";
import { test } from "node:test";
import { buildCertificate } from "../../../test/kit/certificate-builder.ts";
import { analyzeTexts } from "../analyze-texts.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
const BEFORE = new Date("2026-05-01T00:00:00Z");
const AFTER = new Date("2026-07-01T00:00:00Z");

function gateway(secret: Readonly<Record<string, string>>): string {
  const stringData = JSON.stringify(secret);
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
    - port: {number: 443, name: https, protocol: HTTPS}
      hosts: [shop.example.com]
      tls: {mode: SIMPLE, credentialName: shop}
---
apiVersion: v1
kind: Secret
metadata: {name: shop, namespace: istio-system}
stringData: ${stringData}
`;
}

function valid(notBefore: Date, notAfter: Date): string {
  return buildCertificate({ notBefore, notAfter }).pem;
}

const GOOD = valid(BEFORE, AFTER);
const EXPIRED = valid(new Date("2026-04-01T00:00:00Z"), BEFORE);

const TABLE: readonly (readonly [string, Readonly<Record<string, string>>, "told" | "not told"])[] =
  [
    ["one that is valid now", { "tls.crt": GOOD, "tls.key": "k" }, "not told"],
    ["under the older keys", { cert: GOOD, key: "k" }, "not told"],
    [
      "words above the first block",
      { "tls.crt": `subject=x\n${GOOD}`, "tls.key": "k" },
      "not told",
    ],
    ["an expired authority behind it", { "tls.crt": GOOD + EXPIRED, "tls.key": "k" }, "not told"],
    ["one that has expired", { "tls.crt": EXPIRED, "tls.key": "k" }, "told"],
    ["one of later", { "tls.crt": valid(AFTER, new Date("2027-01-01")), "tls.key": "k" }, "told"],
    ["none behind an expired one", { "tls.crt": EXPIRED + GOOD, "tls.key": "k" }, "told"],
    ["no key", { "tls.crt": GOOD }, "told"],
    ["no PEM", { "tls.crt": "certificate", "tls.key": "k" }, "told"],
    ["a key in its place", { "tls.crt": buildCertificate({}).keyPem, "tls.key": "k" }, "told"],
  ];

for (const [what, secret, told] of TABLE) {
  test(`a gateway's Secret with ${what} is ${told}`, () => {
    const found = analyzeTexts([{ file: "gateway.yaml", text: gateway(secret) }], {
      now: NOW,
      names: ["gateway.SecretAnalyzer"],
    });
    assert.deepEqual(
      found.map(({ code }) => code),
      told === "told" ? ["IST0161"] : [],
    );
  });
}

test("nothing in a namespace that never takes part in a mesh is looked at", () => {
  const route = (namespace: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: dns, namespace: ${namespace}}
spec: {hosts: [dns], gateways: [nowhere], http: [{route: [{destination: {host: dns}}]}]}
`;
  const codesIn = (namespace: string): readonly string[] =>
    analyzeTexts([{ file: "route.yaml", text: route(namespace) }], { now: NOW }).map(
      ({ code }) => code,
    );
  assert.ok(codesIn("shop").includes("IST0101"));
  for (const one of ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"])
    assert.deepEqual(codesIn(one), [], one);
});
