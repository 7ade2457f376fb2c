import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../../test/kit/mesh-parts.ts";
import type { Resource } from "../../api/resource.ts";
import { isBehind, ofKind } from "../../policy/mesh-snapshot.ts";
import { planWorkloads } from "../../policy/plan-workloads.ts";
import type { Workload } from "../../policy/workload.ts";
import type { JoinRequest } from "./join-request.ts";
import {
  besideFiles,
  fixedApplicationPorts,
  isJoined,
  type MeshNow,
  planJoin,
} from "./joined-resources.ts";

const files = resourcesOf(`
apiVersion: v1
kind: Namespace
metadata: {name: production, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: plain, labels: {istio-injection: disabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: canary, labels: {istio.io/rev: canary}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: known, namespace: production}
---
apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: production}
spec: {selector: {app: ledger}, ports: [{port: 80, targetPort: 7070}]}
---
apiVersion: v1
kind: Service
metadata: {name: legacy, namespace: production}
spec: {selector: {app: other}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: production}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, command: [node], ports: [{containerPort: 8080}]}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: nightly, namespace: production}
spec:
  template:
    metadata: {labels: {app: nightly}}
    spec: {restartPolicy: Never, containers: [{name: job, command: [node]}]}
`);

function workloadsOf(resources: readonly Resource[]): readonly Workload[] {
  const fixed = fixedApplicationPorts(resources);
  let next = 20_000;
  return planWorkloads(resources, {
    place: (key) => ({ address: "127.0.0.1", port: fixed.get(key) ?? next++ }),
    uid: (key) => key,
  });
}

const mesh: MeshNow = { resources: files, workloads: workloadsOf(files) };
const billing: JoinRequest = {
  name: "billing",
  namespace: "production",
  serviceAccount: "billing",
  labels: {},
  ports: [{ port: 8080, protocol: "http" }],
  program: "npm",
};

function planned(changes: Partial<JoinRequest>, into = mesh): ReturnType<typeof planJoin> & object {
  return planJoin({ ...billing, ...changes }, into);
}

function resourcesFor(changes: Partial<JoinRequest>): readonly Resource[] {
  const plan = planned(changes);
  assert.ok(plan.outcome === "planned", JSON.stringify(plan));
  return plan.resources;
}

test("a process becomes a workload with a sidecar, an identity and a service", () => {
  const resources = resourcesFor({});
  const workloads = workloadsOf([...files, ...resources]);
  const workload = workloads.find(({ owner }) => owner === "billing");
  assert.equal(workload?.name, "billing-0");
  assert.equal(workload?.serviceAccount, "billing");
  assert.equal(workload?.injected, true);
  assert.equal(workload?.labels["app"], "billing");
  assert.deepEqual(
    workload?.ports.map(({ containerPort }) => containerPort),
    [8080],
  );
  const [service] = ofKind(resources, "Service");
  assert.ok(service !== undefined && workload !== undefined);
  assert.deepEqual(
    service.ports.map(({ port, protocol }) => [port, protocol]),
    [[8080, "http"]],
  );
  assert.deepEqual(
    workloads.filter((one) => isBehind(service, one)).map(({ name }) => name),
    ["billing-0"],
  );
  assert.ok(ofKind(resources, "Deployment").every(({ meta }) => isJoined(meta.source)));
  assert.ok(!files.some(({ meta }) => isJoined(meta.source)));
});

test("what is written already is not written again", () => {
  const kinds = (changes: Partial<JoinRequest>): readonly string[] =>
    resourcesFor(changes).map(({ kind }) => kind);
  assert.deepEqual(kinds({}), ["Deployment", "ServiceAccount", "Service"]);
  assert.deepEqual(kinds({ serviceAccount: "known" }), ["Deployment", "Service"]);
  assert.deepEqual(kinds({ ports: [] }), ["Deployment", "ServiceAccount"]);
  assert.deepEqual(kinds({ name: "ledger" }), ["Deployment", "ServiceAccount"]);
});

test("a service of the files leads to the process that it selects", () => {
  const resources = [...files, ...resourcesFor({ name: "ledger", ports: [] })];
  const ledger = workloadsOf(resources).find(({ owner }) => owner === "ledger");
  assert.deepEqual(
    ledger?.ports.map(({ containerPort }) => containerPort),
    [7070],
  );
});

test("a program that listens where it likes is called there", () => {
  const ports = [
    { port: 8080, protocol: "http", listensOn: 3000 },
    { port: 6379, protocol: "tcp", listensOn: 6380 },
    { port: 9090, protocol: "auto" },
  ] as const;
  const resources = resourcesFor({ ports });
  const workload = workloadsOf(resources)[0];
  const at = new Map(
    workload?.ports.map(({ containerPort, application }) => [containerPort, application.port]),
  );
  assert.equal(at.get(8080), 3000);
  assert.equal(at.get(6379), 6380);
  assert.ok((at.get(9090) ?? 0) >= 20_000);
});

const notes: [what: string, changes: Partial<JoinRequest>, note: RegExp | undefined][] = [
  ["nothing to tell", {}, undefined],
  ["a namespace nobody knows", { namespace: "prodction" }, /nothing else .* namespace prodction/],
  [
    "a service that selects others",
    { name: "legacy" },
    /legacy \(mesh\.yaml:\d+\) does not select/,
  ],
  ["a service that selects it", { name: "ledger" }, undefined],
];
for (const [what, changes, note] of notes) {
  test(`notes ${what}`, () => {
    const plan = planned(changes);
    assert.ok(plan.outcome === "planned");
    if (note === undefined) assert.deepEqual(plan.notes, []);
    else assert.match(plan.notes.join("\n"), note);
  });
}

const refusals: [what: string, changes: Partial<JoinRequest>, problem: RegExp][] = [
  ["a Deployment's name", { name: "api" }, /production\/api is a Deployment .*\(mesh\.yaml:\d+\)/],
  ["a Job's name", { name: "nightly" }, /production\/nightly is a Job of the mesh/],
  ["a name that is no label", { name: "a.b" }, /the name "a\.b" is not a DNS label/],
  ["a service name with a digit first", { name: "3scale" }, /must begin with a letter/],
  ["a namespace that is none", { namespace: "Prod" }, /the namespace "Prod" is not a DNS label/],
  ["a service account that is none", { serviceAccount: "No!" }, /"No!" is not a DNS subdomain/],
  ["a label that is none", { labels: { app: "a b" } }, /"a b" is not a label value/],
  ["a port twice", { ports: [...billing.ports, ...billing.ports] }, /twice|already/],
  ["INJ-6", { namespace: "plain" }, /istio-injection=disabled \(mesh\.yaml:\d+\)/],
  ["INJ-1", { namespace: "canary" }, /istio\.io\/rev=canary, and this mesh is revision default/],
  ["INJ-11", { namespace: "kube-system" }, /never takes part in the mesh/],
  [
    "INJ-8, the pod's own label",
    { labels: { "sidecar.istio.io/inject": "false" } },
    /the pod is labelled sidecar\.istio\.io\/inject=false/,
  ],
  [
    "the port of another part of the mesh",
    { ports: [{ port: 1, protocol: "tcp", listensOn: 20_000 }] },
    /port 20000 belongs to production\/api-0/,
  ],
];
for (const [what, changes, problem] of refusals) {
  test(`refuses ${what}`, () => {
    const plan = planned(changes);
    assert.ok(plan.outcome === "refused", JSON.stringify(plan));
    assert.match(plan.problem, problem);
  });
}

test("a second process of the same name is refused, in another namespace it is not", () => {
  const resources = [...files, ...resourcesFor({})];
  const now = { resources, workloads: workloadsOf(resources) };
  const second = planned({}, now);
  assert.ok(second.outcome === "refused");
  assert.match(second.problem, /billing has joined already/);
  assert.equal(planned({ namespace: "staging" }, now).outcome, "planned");
});

test("where files come to name the same thing, they win", () => {
  const joined = resourcesFor({});
  assert.deepEqual(besideFiles(files, joined), joined);
  const taken = resourcesOf(`
apiVersion: batch/v1
kind: Job
metadata: {name: billing, namespace: production}
spec:
  template:
    metadata: {labels: {app: billing}}
    spec: {restartPolicy: Never, containers: [{name: job, command: [node]}]}
---
apiVersion: v1
kind: Service
metadata: {name: billing, namespace: production}
spec: {selector: {app: billing}, ports: [{port: 80}]}
`);
  assert.deepEqual(
    besideFiles([...files, ...taken], joined).map(({ kind }) => kind),
    ["ServiceAccount"],
  );
});
