import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { authorizerNotices } from "./authorizer-notices.ts";

const policy = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: shop}
spec: {action: CUSTOM, provider: {name: opa}, rules: [{}]}
`;
const service = `
---
apiVersion: v1
kind: Service
metadata: {name: opa, namespace: authz}
spec: {selector: {app: opa}, ports: [{name: grpc, port: 9191}]}
`;
const entry = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: opa, namespace: authz}
spec: {hosts: [opa.example], ports: [{number: 9191, name: grpc, protocol: GRPC}], resolution: DNS}
`;
const provider = (at: string, port = 9191): string => `
---
extensionProviders: [{name: opa, envoyExtAuthzGrpc: {service: ${at}, port: ${port}}}]
`;
const HOST = "opa.authz.svc.cluster.local";

const rows: [what: string, yaml: string, problem: RegExp | undefined][] = [
  ["a Service", service + provider(HOST), undefined],
  ["a ServiceEntry", entry + provider("authz/opa.example"), undefined],
  [
    "nobody",
    provider(HOST),
    /the authorizer "opa", and its service opa\.authz\.\S+ is none of the mesh: what/,
  ],
  [
    "half a name",
    service + provider("opa.authz"),
    /is none of the mesh: what this policy matches is refused$/,
  ],
  [
    "another port",
    service + provider(HOST, 80),
    /has no port 80 \(it has 9191\): what this policy matches is refused$/,
  ],
  ["a provider of another name", `${service}\n---\nextensionProviders: []\n`, undefined],
];
for (const [what, yaml, problem] of rows) {
  test(`EA-30: an authorizer at ${what}`, () => {
    const [notice, ...more] = authorizerNotices(resourcesOf(policy + yaml));
    assert.deepEqual(more, []);
    if (problem === undefined) assert.equal(notice, undefined);
    else assert.match(notice?.message ?? "", problem);
  });
}
