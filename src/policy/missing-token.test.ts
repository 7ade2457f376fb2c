import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { judge } from "./judge.ts";

const mesh = (rules: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api, sidecar.istio.io/inject: "true"}}
    spec: {containers: [{name: api, image: api, ports: [{containerPort: 8080, name: http}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 8080}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: users, namespace: shop}
spec: {jwtRules: [${rules}]}
`;

const REQUIRED = "{issuer: i, presence: REQUIRED}";
const cases: [
  name: string,
  rules: string,
  request: { readonly method?: string; readonly iss?: string; readonly headers?: object },
  problem: string | undefined,
][] = [
  ["JWT-1 nothing is demanded", "{issuer: i}", {}, undefined],
  ["JWT-9 demanded, and not there", REQUIRED, {}, "Jwt is missing"],
  ["JWT-9 demanded, and there", REQUIRED, { iss: "i" }, undefined],
  [
    "JWT-9 of another issuer",
    `${REQUIRED}, {issuer: j}`,
    { iss: "j" },
    "Jwt issuer is not configured",
  ],
  [
    "JWT-22 a preflight of CORS",
    REQUIRED,
    { method: "OPTIONS", headers: { origin: "o", "access-control-request-method": "GET" } },
    undefined,
  ],
];
for (const [name, rules, { method = "GET", iss, headers = {} }, problem] of cases) {
  test(name, () => {
    const snapshot = snapshotOf(mesh(rules));
    const { decision } = judge(snapshot, {
      from: "outside",
      to: workloadNamed(snapshot, "shop/api-0"),
      containerPort: 8080,
      request: {
        method,
        path: "/",
        headers: new Map(Object.entries(headers)),
        ...(iss !== undefined && { payload: { iss, sub: "alice" } }),
      },
    });
    const { reason } = decision;
    assert.equal("problem" in reason ? reason.problem : undefined, problem);
    assert.equal(decision.verdict, problem === undefined ? "allow" : "deny");
  });
}
