import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../parse-resources.ts";

const KINDS: readonly [apiVersion: string, kind: string, spec: string][] = [
  ["security.istio.io/v1", "AuthorizationPolicy", "{}"],
  ["security.istio.io/v1", "PeerAuthentication", "{}"],
  ["security.istio.io/v1", "RequestAuthentication", "{}"],
  ["telemetry.istio.io/v1", "Telemetry", "{}"],
  ["networking.istio.io/v1", "DestinationRule", "{host: a.b}"],
];
const RESERVED = [
  "internal.istio.io/webhook-always-reject",
  "internal.istio.io/parent-namespace",
  "internal.istio.io/parents",
];

function problems(
  [apiVersion, kind, spec]: (typeof KINDS)[number],
  annotation: string,
): readonly string[] {
  const text = `apiVersion: ${apiVersion}
kind: ${kind}
metadata: {name: x, namespace: shop, annotations: {${annotation}: "true"}}
spec: ${spec}`;
  return parseResources(text, "f").issues.map(({ path, problem, level }) => {
    assert.equal(level, "webhook");
    return `${path}: ${problem}`;
  });
}

for (const row of KINDS) {
  const [, kind] = row;
  for (const name of RESERVED) {
    test(`${kind} must not have the annotation ${name}`, () => {
      assert.deepEqual(problems(row, name), [
        `metadata.annotations["${name}"]: must not be set by users`,
      ]);
    });
  }
  test(`AP-110: ${kind} ${kind === "AuthorizationPolicy" ? "can" : "cannot"} be on trial`, () => {
    const expected =
      kind === "AuthorizationPolicy"
        ? []
        : ['metadata.annotations["istio.io/dry-run"]: is for AuthorizationPolicy alone; remove it'];
    assert.deepEqual(problems(row, "istio.io/dry-run"), expected);
  });
  test(`${kind} may have any other annotation`, () => {
    assert.deepEqual(problems(row, "internal.istio.io/other"), []);
  });
}
