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
    /the authorizer "opa" \(mesh\.yaml:\d+\), and its service opa\.authz\.\S+ is none of the mesh: what/,
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
];
for (const [what, yaml, problem] of rows) {
  test(`EA-30: an authorizer at ${what}`, () => {
    const [notice, ...more] = authorizerNotices(resourcesOf(policy + yaml));
    assert.deepEqual(more, []);
    if (problem === undefined) assert.equal(notice, undefined);
    else assert.match(notice?.message ?? "", problem);
  });
}

const others: typeof rows = [
  [
    "that nobody defines",
    "",
    /the authorizer "opa", and extensionProviders .* does not define it \(no authorizer is defined\): what this/,
  ],
  [
    "that is misspelt",
    provider(HOST).replace("name: opa", "name: oap"),
    /does not define it \(defined are: oap \(mesh\.yaml:8\)\): what/,
  ],
  [
    "that authorizes nothing",
    "\n---\nextensionProviders: [{name: opa, zipkin: {service: a.b, port: 1}}]\n",
    /the authorizer "opa" \(mesh\.yaml:8\), and it is of kind zipkin, which authorizes nothing \(no/,
  ],
  [
    "whose service may be another cluster's",
    `${provider(HOST)}\n---
apiVersion: hauberk.dev/v1
kind: RemoteCluster
metadata: {name: west}
spec: {server: "127.0.0.1:1"}
`,
    undefined,
  ],
];
for (const [what, yaml, problem] of others) {
  test(`AP-120: an authorizer ${what}`, () => {
    const [notice, ...more] = authorizerNotices(resourcesOf(policy + yaml));
    assert.deepEqual(more, []);
    if (problem === undefined) assert.equal(notice, undefined);
    else assert.match(notice?.message ?? "", problem);
  });
}

test("the place of a note is the line of the name in the policy", () => {
  const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: shop}
spec:
  action: CUSTOM
  provider:
    name: opa
  rules: [{}]
`;
  const [notice] = authorizerNotices(resourcesOf(text));
  assert.deepEqual([notice?.source.line, notice?.path], [7, "spec.provider.name"]);
});

test("AP-110: a policy on trial would refuse", () => {
  const trial = policy.replace(
    "namespace: shop",
    'namespace: shop, annotations: {hauberk.dev/dry-run: "true"}',
  );
  const [notice] = authorizerNotices(resourcesOf(trial));
  assert.match(notice?.message ?? "", /: what this policy matches would be refused$/);
});
