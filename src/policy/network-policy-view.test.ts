import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView, buildWorkloadViews } from "./build-workload-view.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { compileNetworkPolicies } from "./network-policy-view.ts";
import type { NetworkAdmission, NetworkRefusal, WorkloadView } from "./workload-view.ts";

const workload = (name: string, namespace = "shop"): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      serviceAccountName: ${name}
      containers: [{name: a, image: x, ports: [{name: web, containerPort: 8080}, {containerPort: 9090}]}]
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80, targetPort: web}, {name: admin, port: 90, targetPort: 9090}]}`;

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {istio-injection: enabled}}
${workload("web")}
${workload("api")}
${workload("monitor", "ops")}`;

const policy = (name: string, spec: string): string => `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${name}, namespace: shop}
spec: ${spec}`;

const API_FROM_WEB = policy(
  "api",
  "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: web}]}]}",
);
const REF = { kind: "NetworkPolicy", namespace: "shop", name: "api" };
const identity = (name: string, namespace = "shop"): string =>
  `spiffe://cluster.local/ns/${namespace}/sa/${name}`;

function withAddresses(snapshot: MeshSnapshot): MeshSnapshot {
  const workloads = snapshot.workloads.map((each, index) => ({
    ...each,
    addresses: { ipv4: `10.244.0.${index + 2}`, ipv6: `fd00:10:244::${index + 2}` },
  }));
  return { ...snapshot, workloads };
}

function viewOf(name: string, snapshot: MeshSnapshot): WorkloadView {
  const found = workloadNamed(snapshot, name);
  return buildWorkloadView(snapshot, found);
}

/** By service and port. */
function refusals(view: WorkloadView): Record<string, NetworkRefusal["direction"]> {
  return Object.fromEntries(
    view.outbound.destinations.flatMap(({ serviceName, servicePort, endpoints }) =>
      endpoints.flatMap(({ refusedBy }) =>
        refusedBy === undefined ? [] : [[`${serviceName}:${servicePort}`, refusedBy.direction]],
      ),
    ),
  );
}

function admissions(view: WorkloadView): (NetworkAdmission | undefined)[] {
  return view.inbound.ports.map(({ admission }) => admission);
}

test("without NetworkPolicies a view is as it was", () => {
  const snapshot = snapshotOf(MESH);
  const found = workloadNamed(snapshot, "shop/api-0");
  const view = buildWorkloadView(snapshot, found);
  assert.equal(compileNetworkPolicies(snapshot)(found, view), view);
});

const refused: [caller: string, policies: string, expected: Record<string, string>][] = [
  ["shop/web-0", API_FROM_WEB, { "api:90": "ingress" }],
  ["ops/monitor-0", API_FROM_WEB, { "api:80": "ingress", "api:90": "ingress" }],
  ["shop/api-0", API_FROM_WEB, {}],
  [
    "shop/web-0",
    policy(
      "web",
      "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: 8080}]}]}",
    ),
    { "api:90": "egress", "monitor:80": "egress", "monitor:90": "egress" },
  ],
];
for (const mode of ["loopback", "namespaces"]) {
  for (const [caller, policies, expected] of refused) {
    test(`${mode}: endpoints that ${caller} may not reach: ${JSON.stringify(expected)}`, () => {
      const snapshot = snapshotOf(MESH + policies);
      const view = viewOf(caller, mode === "loopback" ? snapshot : withAddresses(snapshot));
      assert.deepEqual(refusals(view), expected);
    });
  }
}

test("an endpoint that is no port of the workload it is named after stays as it is", () => {
  const snapshot = snapshotOf(MESH + API_FROM_WEB);
  const caller = workloadNamed(snapshot, "ops/monitor-0");
  const view = buildWorkloadView({ ...snapshot, networkPolicies: new Map() }, caller);
  const elsewhere = { address: "192.0.2.1", port: 8080 };
  const destinations = view.outbound.destinations.map((one) => ({
    ...one,
    endpoints: one.endpoints.map((endpoint) => ({ ...endpoint, address: elsewhere })),
  }));
  const outbound = { ...view.outbound, destinations };
  const compiled = compileNetworkPolicies(snapshot)(caller, { ...view, outbound });
  assert.deepEqual(compiled.outbound, outbound);
});

test("all views together are as each alone", () => {
  const snapshot = snapshotOf(MESH + API_FROM_WEB);
  const views = buildWorkloadViews(snapshot);
  assert.equal(views.size, 3);
  for (const [name, view] of views) assert.deepEqual(view, viewOf(name, snapshot));
});

test("a refused endpoint stays, and names the policies", () => {
  const view = viewOf("ops/monitor-0", snapshotOf(MESH + API_FROM_WEB));
  const destination = view.outbound.destinations.find(({ serviceName }) => serviceName === "api");
  assert.equal(destination?.endpoints.length, 1);
  assert.deepEqual(destination.endpoints[0]?.refusedBy, { direction: "ingress", policies: [REF] });
});

test("loopback: the sidecar admits the identities of admitted pods, and of its own", () => {
  const view = viewOf("shop/api-0", snapshotOf(MESH + API_FROM_WEB));
  assert.deepEqual(admissions(view), [
    { policies: [REF], identities: [identity("api"), identity("web")], anyone: false },
    { policies: [REF], identities: [identity("api")], anyone: false },
  ]);
  assert.deepEqual(admissions(viewOf("shop/web-0", snapshotOf(MESH + API_FROM_WEB))), [
    undefined,
    undefined,
  ]);
});

test("CA-55 loopback: an identity is admitted in every trust domain that is ours", () => {
  const config = "\n---\ntrustDomain: cluster.local\ntrustDomainAliases: [old.mesh]\n";
  const [admission] = admissions(viewOf("shop/api-0", snapshotOf(MESH + API_FROM_WEB + config)));
  assert.deepEqual(admission?.identities, [
    identity("api"),
    identity("web"),
    identity("api").replace("cluster.local", "old.mesh"),
    identity("web").replace("cluster.local", "old.mesh"),
  ]);
});

const anyone: [rule: string, anyone: boolean][] = [
  ["{}", true],
  ["{ports: [{port: web}]}", true],
  ["{ports: [{port: 1}]}", false],
  ["{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}", true],
  ["{from: [{ipBlock: {cidr: 127.0.0.0/8}}]}", true],
  ["{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [127.0.0.0/8]}}]}", false],
  ["{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}", false],
  ["{from: [{namespaceSelector: {}}]}", false],
];
for (const [rule, expected] of anyone) {
  test(`loopback: by ${rule} a caller without identity is ${expected ? "" : "not "}admitted`, () => {
    const written = policy("all", `{podSelector: {}, ingress: [${rule}]}`);
    const [admission] = admissions(viewOf("shop/api-0", snapshotOf(MESH + written)));
    assert.equal(admission?.anyone, expected);
  });
}

test("a pod with addresses of its own is guarded by the kernel, and its sidecar admits everybody", () => {
  const view = viewOf("shop/api-0", withAddresses(snapshotOf(MESH + API_FROM_WEB)));
  assert.deepEqual(admissions(view), [undefined, undefined]);
});
