import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import type { Destination } from "./workload-view.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller, namespace: web}
spec:
  selector: {matchLabels: {app: caller}}
  template:
    metadata: {labels: {app: caller}}
    spec: {containers: [{name: a, image: x}]}`;

const entry = (spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: web}
spec: {hosts: [a.example], ports: [{name: http, number: 80, protocol: HTTP}], ${spec}}`;

const egress = (rules: string): string => `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: limited, namespace: web}
spec: {podSelector: {}, policyTypes: [Egress], egress: ${rules}}`;

function destinationOf(yaml: string, addressing: "loopback" | "own" = "loopback"): Destination {
  const snapshot = snapshotOf(MESH + yaml, { addressing });
  const view = buildWorkloadView(snapshot, workloadNamed(snapshot, "web/caller-0"));
  const { destinations } = view.outbound;
  return destinations.find((one) => one.serviceEntry) ?? assert.fail("no destination");
}

const SERVED = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: served, namespace: web}
spec:
  selector: {matchLabels: {app: served}}
  template:
    metadata: {labels: {app: served}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 80}]}]}`;

/** In another namespace: its sidecar listens at 127.0.0.1:18080. */
const OTHERS = `
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}`;

const STATIC = entry("resolution: STATIC, endpoints: [{address: 203.0.113.7}]");
const rows: readonly [name: string, yaml: string, allowed: boolean][] = [
  ["no policy", STATIC, true],
  [
    "pods of the mesh are judged as pods",
    entry("resolution: STATIC, workloadSelector: {labels: {app: served}}") +
      SERVED +
      egress("[{to: [{podSelector: {matchLabels: {app: served}}}]}]"),
    true,
  ],
  [
    "pods of the mesh that may not be called, by their address",
    entry("resolution: STATIC, endpoints: [{address: 127.0.0.1, ports: {http: 18080}}]") +
      OTHERS +
      egress("[{to: [{podSelector: {matchLabels: {app: served}}}]}]"),
    false,
  ],
  [
    "pods of the mesh that may be, by their address",
    entry("resolution: STATIC, endpoints: [{address: 127.0.0.1, ports: {http: 18080}}]") +
      OTHERS +
      egress("[{to: [{namespaceSelector: {}}]}]"),
    true,
  ],
  [
    "a service of another namespace that may not be called, by its name",
    entry("resolution: DNS, endpoints: [{address: api.shop.svc.cluster.local}]") +
      OTHERS +
      egress("[{to: [{podSelector: {matchLabels: {app: served}}}]}]"),
    false,
  ],
  [
    "a service of another namespace that may be, by its name",
    entry("resolution: DNS, endpoints: [{address: api.shop.svc.cluster.local}]") +
      OTHERS +
      egress("[{to: [{namespaceSelector: {}}]}]"),
    true,
  ],
  ["nobody may be called", STATIC + egress("[]"), false],
  ["its range may", STATIC + egress("[{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]"), true],
  ["another range may", STATIC + egress("[{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"), false],
  ["another port may", STATIC + egress("[{ports: [{port: 443}]}]"), false],
  ["pods may", STATIC + egress("[{to: [{podSelector: {}}]}]"), false],
  ["a name, where any address may", entry("resolution: DNS") + egress("[{}]"), true],
  [
    "a name, where some addresses may",
    entry("resolution: DNS") + egress("[{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]"),
    false,
  ],
  ["no resolution, where nobody may", entry("resolution: NONE") + egress("[]"), false],
  ["no resolution, where any may", entry("resolution: NONE") + egress("[{}]"), true],
];
for (const [name, yaml, allowed] of rows) {
  test(`on loopback, egress: ${name}: ${allowed ? "called" : "refused"}`, () => {
    const { endpoints, serviceEntry } = destinationOf(yaml);
    const open = endpoints.filter(({ refusedBy }) => refusedBy === undefined);
    const mayBeCalled =
      open.length > 0 || serviceEntry?.lookUp !== undefined || serviceEntry?.resolution === "NONE";
    assert.equal(mayBeCalled, allowed);
    if (allowed) return;
    const policies = [{ kind: "NetworkPolicy", namespace: "web", name: "limited" }];
    assert.deepEqual(endpoints[0]?.refusedBy, { direction: "egress", policies });
  });
}

test("where pods have addresses of their own the kernel holds them to it", () => {
  const { endpoints } = destinationOf(STATIC + egress("[]"), "own");
  assert.equal(endpoints[0]?.refusedBy, undefined);
});
