import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { meshNotices } from "./mesh-notices.ts";
import { planWorkloads } from "./plan-workloads.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: cart, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec: {serviceAccountName: cart, containers: [{name: main, image: cart}]}
`;

function limits(metadata: string, spec: string): string {
  return `---\napiVersion: hauberk.dev/v1alpha1\nkind: RateLimit\nmetadata: ${metadata}\nspec: ${spec}\n`;
}

const perUser =
  '{selector: {matchLabels: {app: cart}}, limits: [{name: a, requests: 1, per: 1s, key: ["request.auth.claims[sub]"]}]}';
const users = `---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: users, namespace: shop}
spec: {jwtRules: [{issuer: a, jwks: '{"keys": []}'}]}
`;
const simple = "{limits: [{name: a, requests: 1, per: 1s}]}";

const cases: [name: string, text: string, notices: RegExp[]][] = [
  ["one that is all right", limits("{name: a, namespace: shop}", simple), []],
  [
    "a key by claims where no token is verified",
    limits("{name: a, namespace: shop}", perUser),
    [
      /^no RequestAuthentication applies .* no request.auth.claims\[sub\], and all share one bucket$/,
    ],
  ],
  ["the same with tokens", limits("{name: a, namespace: shop}", perUser) + users, []],
  [
    "no such namespace",
    limits("{name: a, namespace: shpo}", simple),
    [
      /^"shpo" has neither a Namespace nor a workload, so this RateLimit has no effect; did you mean "?shop"?\?$/,
    ],
  ],
  [
    "no such workload",
    limits("{name: a, namespace: shop}", perUser.replace("app: cart", "app: crat")),
    [
      /^app: crat matches no workload of namespace shop, so this RateLimit has no effect; did you mean app: cart\?$/,
    ],
  ],
  [
    "workloads without sidecars",
    `${MESH.replaceAll("shop", "bare").replace(", labels: {istio-injection: enabled}", "")}${limits("{name: a, namespace: bare}", simple)}`,
    [/^none of its workloads has a sidecar, so nothing is limited$/],
  ],
];
for (const [name, text, expected] of cases) {
  test(`a RateLimit: ${name}`, () => {
    const resources = resourcesOf(`${MESH}---\n${text}`);
    const workloads = planWorkloads(resources, {
      place: () => ({ address: "127.0.0.1", port: 1 }),
      uid: (key) => key,
    });
    const messages = meshNotices(resources, workloads).map(({ message }) => message);
    assert.equal(messages.length, expected.length, messages.join("\n"));
    for (const [index, message] of messages.entries())
      assert.match(message, expected[index] ?? /$^/);
  });
}
