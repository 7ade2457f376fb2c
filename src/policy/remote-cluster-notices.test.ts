import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { meshNotices } from "./mesh-notices.ts";
import { unenforcedIssues } from "./unenforced-resources.ts";

const cluster = (name: string, spec: string) => `
---
apiVersion: hauberk.dev/v1
kind: RemoteCluster
metadata: {name: ${name}}
spec: {${spec}}
`;
const CONFIG = "---\ntrustDomain: west\ntrustDomainAliases: [north]\n";

const TABLE = [
  ["the own trust domain", "server: 127.0.0.1:1", []],
  ["the own, written", "server: 127.0.0.1:1, trustDomain: west", []],
  ["an alias", "server: 127.0.0.1:1, trustDomain: north", []],
  ["a foreign one (CA-55)", "server: 127.0.0.1:1, trustDomain: east", ["spec.trustDomain"]],
] as const;
for (const [title, spec, paths] of TABLE)
  test(`a RemoteCluster with ${title}`, () => {
    const resources = resourcesOf(CONFIG + cluster("east", spec));
    assert.deepEqual(unenforcedIssues(resources), []);
    assert.deepEqual(
      meshNotices(resources, []).map(({ path }) => path),
      paths,
    );
  });

test("two clusters cannot be at one address", () => {
  const resources = resourcesOf(
    cluster("east", "server: 127.0.0.1:1") + cluster("north", "server: 127.0.0.1:1"),
  );
  const [notice, ...others] = meshNotices(resources, []);
  assert.deepEqual([notice?.path, others.length], ["spec.server", 0]);
  assert.match(notice?.message ?? "", /as that of RemoteCluster east \(mesh.yaml:3\)/);
});

const POLICY = `
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, sidecar.istio.io/inject: "true"}}
    spec: {containers: [{name: a, image: x}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: a, namespace: shop}
spec:
  rules:
  - from:
    - source: {principals: [cluster.local/ns/shop/sa/frontend]}
    - source: {namespaces: [bank]}
    - source: {serviceAccounts: [frontend]}
`;
const ELSEWHERE = [
  ["without other clusters", "", /so (it matches nobody|nobody answers who calls this service);/],
  ["with one", cluster("east", "server: 127.0.0.1:1"), /, unless remote cluster east has it;/],
  [
    "with two",
    cluster("east", "server: 127.0.0.1:1") + cluster("north", "server: 127.0.0.1:2"),
    /, unless one of the remote clusters east, north has it;/,
  ],
] as const;
for (const [title, clusters, words] of ELSEWHERE)
  test(`who is nobody here may be somebody elsewhere: ${title}`, () => {
    const messages = meshNotices(resourcesOf(POLICY + clusters), []).map(({ message }) => message);
    const about = messages.filter((message) => /nobody/.test(message));
    assert.equal(about.length, 4, messages.join("\n"));
    for (const message of about) {
      assert.match(message, words);
      if (clusters === "") assert.doesNotMatch(message, /unless/);
    }
  });
