import assert from "node:assert/strict";
import { test } from "node:test";
import { type PlannedMesh, plannedMesh } from "../../test/kit/planned-mesh.ts";
import { missingSidecarInWords, missingSidecars } from "./missing-sidecar.ts";

const OPT_OUT = "sidecar.istio.io/inject";

function planned({
  labels = {},
  podLabels = {},
  kind = "Deployment",
}: {
  readonly labels?: object;
  readonly podLabels?: object;
  readonly kind?: "Deployment" | "Job";
}): PlannedMesh {
  const containers = [{ name: "a", image: "x" }];
  const restart = kind === "Job" ? { restartPolicy: "Never" } : {};
  const pod = { metadata: { labels: podLabels }, spec: { containers, ...restart } };
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "legacy", labels } };
  const owner = {
    apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
    kind,
    metadata: { name: "old", namespace: "legacy" },
    spec:
      kind === "Job" ? { template: pod } : { selector: { matchLabels: podLabels }, template: pod },
  };
  return plannedMesh([namespace, owner].map((one) => JSON.stringify(one)).join("\n---\n"));
}

const app = { app: "old" };
const enabled = { "istio-injection": "enabled" };
const cases: [what: string, PlannedMesh, told: RegExp | undefined][] = [
  [
    "nobody asked for one",
    planned({ podLabels: app }),
    /^legacy\/old has no sidecar, since neither the namespace .*: kubectl label namespace legacy istio-injection=enabled; kubectl rollout restart deployment old -n legacy$/,
  ],
  [
    "of a Job",
    planned({ podLabels: app, kind: "Job" }),
    /istio-injection=enabled; delete Job old, and apply it again$/,
  ],
  [
    "the namespace says that there is to be none",
    planned({ labels: { "istio-injection": "disabled" }, podLabels: app }),
    /^legacy\/old has no sidecar, since the namespace is labelled istio-injection=disabled$/,
  ],
  [
    "the pod says so",
    planned({ labels: enabled, podLabels: { ...app, [OPT_OUT]: "false" } }),
    /^legacy\/old has no sidecar, since the pod is labelled sidecar\.istio\.io\/inject=false$/,
  ],
  ["it has one", planned({ labels: enabled, podLabels: app }), undefined],
];
for (const [what, mesh, told] of cases) {
  test(`why there is no sidecar: ${what}`, () => {
    const words = missingSidecarInWords(mesh.resources, mesh.workload("legacy/old"));
    if (told === undefined) assert.equal(words, undefined);
    else assert.match(words ?? "", told);
  });
}

test("a pod that is older than its namespace's label is to be restarted", () => {
  const before = planned({ podLabels: app });
  const after = planned({ labels: enabled, podLabels: app });
  const words = missingSidecarInWords(after.resources, before.workload("legacy/old"));
  assert.match(
    words ?? "",
    /is to have a sidecar, .*istio-injection=enabled, and was started before that: kubectl rollout restart deployment old -n legacy$/,
  );
});

test("of a caller it is told where its call is refused", () => {
  const bare = planned({ podLabels: app });
  const whole = planned({ labels: enabled, podLabels: app });
  const question = { from: bare.workload("legacy/old"), to: whole.workload("legacy/old") };
  const told = (verdict: "allow" | "deny"): number =>
    missingSidecars(bare, question, { decision: { verdict } }).length;
  assert.deepEqual([told("allow"), told("deny")], [0, 1]);
  const outside = { from: "outside", to: whole.workload("legacy/old") } as const;
  assert.deepEqual(missingSidecars(whole, outside, { decision: { verdict: "deny" } }), []);
});
