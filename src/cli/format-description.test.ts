import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { describeWorkload, type WorkloadDescription } from "../policy/describe-workload.ts";
import { formatDescription } from "./format-description.ts";

const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: tcp, port: 80, targetPort: 8080}]}
`;

function describe(yaml: string): WorkloadDescription {
  const snapshot = snapshotOf(MESH + yaml);
  return describeWorkload(snapshot, workloadNamed(snapshot, "shop/cart-0"));
}

test("PA-17 the mode of a port that no container declares is shown beside those of the others", () => {
  const description = describe(`---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: p, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  portLevelMtls: {80: {mode: DISABLE}, 8080: {mode: STRICT}}
`);
  assert.deepEqual(
    description.undeclaredPorts.map(({ containerPort, mutualTls }) => [
      containerPort,
      mutualTls.mode,
    ]),
    [[80, "DISABLE"]],
  );
  const lines = formatDescription(description).filter((line) => /DISABLE|STRICT/.test(line));
  assert.match(lines[0] ?? "", /^8080 .* STRICT /);
  assert.equal(
    lines[1],
    "Port 80, which no container declares: DISABLE, set by PeerAuthentication shop/p (mesh.yaml:19)",
  );
});

const rules: [what: string, spec: string, matchesNothing: true | undefined][] = [
  [
    "all rules name other ports, or ask for HTTP where there is none",
    "rules: [{to: [{operation: {ports: ['80']}}]}, {to: [{operation: {paths: [/a]}}]}]",
    true,
  ],
  [
    "one rule may match",
    "rules: [{to: [{operation: {ports: ['80']}}]}, {to: [{operation: {ports: ['8080']}}]}]",
    undefined,
  ],
  [
    "a rule is widened (AP-62)",
    "action: DENY, rules: [{to: [{operation: {paths: [/a]}}]}]",
    undefined,
  ],
  ["it has no rules, which is told already", "rules: []", undefined],
];
for (const [what, spec, matchesNothing] of rules) {
  test(`a policy is said to match nothing ${matchesNothing ? "where" : "unless"}: ${what}`, () => {
    const description = describe(`---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: shop}
spec: {${spec}}
`);
    assert.equal(description.policies[0]?.matchesNothing, matchesNothing);
    const heading = formatDescription(description).find((line) => line.includes("shop/p")) ?? "";
    assert.equal(
      heading.endsWith(", matches nothing on any port of this workload"),
      matchesNothing ?? false,
    );
  });
}
