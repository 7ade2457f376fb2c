import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { put, servedKind, stageStore } from "../../../../test/kit/api-server-stage.ts";
import { parseResources } from "../../../api/parse-resources.ts";
import { valueAt } from "../../api-server/kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ObjectStore } from "../../api-server/objects/object-store.ts";
import { planMesh } from "../../mesh-plan.ts";
import { PortAllocator } from "../../port-allocator.ts";
import { objectText } from "../object-text.ts";
import { carriedOut } from "../paused-deployment.ts";
import { newestOf, REVISION, templateOfSet } from "../revisions.ts";
import type { MeshFacts, PodFacts } from "./mesh-facts.ts";
import { MeshProjection } from "./mesh-projection.ts";

const DEPLOYMENT = servedKind("Deployment");
const PLACE = { kind: DEPLOYMENT, namespace: "shop", name: "api" };

function deploymentOf(command: string, spec: JsonObject = {}): KubernetesObject {
  const labels = { app: "api" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "api", namespace: "shop" },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "app", image: "api", command: ["node", command] }] },
      },
      ...spec,
    },
  };
}

class Staged {
  readonly store: ObjectStore = stageStore();
  readonly #projection: MeshProjection = new MeshProjection(this.store);
  #pods: readonly PodFacts[] = [];

  get deployment(): KubernetesObject {
    const found = this.store.get(PLACE);
    assert.ok(found);
    return found;
  }

  get sets(): readonly KubernetesObject[] {
    return this.store.list(servedKind("ReplicaSet"), "shop");
  }

  /** Revision and command of each, and how many pods it wants. */
  get history(): readonly string[] {
    return this.sets
      .map((set) => {
        const path = ["spec", "template", "spec", "containers", 0, "command", 1];
        return `${set.metadata.annotations?.[REVISION]} ${valueAt(set, path)} ${valueAt(set, ["spec", "replicas"])}`;
      })
      .sort();
  }

  change(changes: (before: JsonObject) => JsonObject): void {
    const before = this.deployment;
    const spec = changes(before["spec"] as JsonObject);
    const generation = (before.metadata.generation ?? 1) + 1;
    const after = { ...before, spec, metadata: { ...before.metadata, generation } };
    this.store.commit({ ...PLACE, before, after });
  }

  /** Pods as the Deployment says now. */
  async plan(context: TestContext, uid: string): Promise<PodFacts> {
    const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
    context.after(() => rm(folder, { recursive: true }));
    const ports = await PortAllocator.open(join(folder, "ports.json"));
    context.after(() => ports.release());
    const { resources } = parseResources(objectText(this.deployment), "mesh.yaml");
    const { pods } = await planMesh(resources, { ports, uid: () => uid });
    const [planned] = pods;
    assert.ok(planned);
    return { planned, ready: true, startedAt: "2026-01-01T00:00:00Z", containers: [] };
  }

  show(pods: readonly PodFacts[] = this.#pods): void {
    this.#pods = pods;
    const facts: MeshFacts = {
      pods,
      workloads: pods.map(({ planned }) => planned.workload),
      serviceAddresses: {},
      controlPlane: {
        name: "discovery",
        phase: "running",
        restarts: 0,
        ready: true,
        listen: "127.0.0.1:1",
        startedAt: "2026-01-01T00:00:00Z",
        uid: "istiod",
      },
      refused: [],
      node: "here",
    };
    const observedGeneration = (owner: KubernetesObject): number => owner.metadata.generation ?? 1;
    this.#projection.show({ facts, observedGeneration, isBusy: false });
  }
}

function staged(command: string, spec?: JsonObject): Staged {
  const mesh = new Staged();
  put(mesh.store, deploymentOf(command, spec));
  mesh.show();
  return mesh;
}

const templateOf = (command: string): JsonObject =>
  (deploymentOf(command)["spec"] as JsonObject)["template"] as JsonObject;

const withCommand = (command: string) => (spec: JsonObject) => ({
  ...spec,
  template: templateOf(command),
});

test("each template is a revision, which stays", () => {
  const mesh = staged("one");
  assert.deepEqual(mesh.history, ["1 one 1"]);
  mesh.change(withCommand("two"));
  mesh.show();
  mesh.show();
  assert.deepEqual(mesh.history, ["1 one 0", "2 two 1"]);
  assert.equal(mesh.deployment.metadata.annotations?.[REVISION], "2");
});

test("what goes back to an earlier template has its ReplicaSet, and is the newest revision", () => {
  const mesh = staged("one");
  mesh.change(withCommand("two"));
  mesh.show();
  const [first] = mesh.sets.filter(({ metadata }) => metadata.annotations?.[REVISION] === "1");
  assert.ok(first);
  // As kubectl sends it, which is written in Go.
  const template = templateOfSet(first);
  const metadata = { creationTimestamp: null, ...(template["metadata"] as JsonObject) };
  mesh.change((spec) => ({ ...spec, template: { spec: template["spec"], metadata } }));
  mesh.show();
  assert.deepEqual(mesh.history, ["2 two 0", "3 one 1"]);
});

test("a number of replicas is no revision", () => {
  const mesh = staged("one");
  mesh.change((spec) => ({ ...spec, replicas: 3 }));
  mesh.show();
  assert.deepEqual(mesh.history, ["1 one 3"]);
});

test("as many old ones stay as the Deployment says", () => {
  const mesh = staged("0", { revisionHistoryLimit: 2 });
  for (let index = 1; index < 6; index++) {
    mesh.change(withCommand(`${index}`));
    mesh.show();
  }
  assert.deepEqual(mesh.history, ["4 3 0", "5 4 0", "6 5 1"]);
});

test("while pods are replaced each ReplicaSet counts its own, and the status tells both", async (context) => {
  const mesh = staged("one");
  const old = await mesh.plan(context, "old");
  mesh.show([old]);
  mesh.change(withCommand("two"));
  const outdated = { ...old, outdated: true as const };
  mesh.show([outdated]);
  assert.deepEqual(mesh.history, ["1 one 1", "2 two 1"]);
  const status = (): JsonObject => {
    const { replicas, updatedReplicas } = mesh.deployment["status"] as JsonObject;
    return { replicas, updatedReplicas };
  };
  assert.deepEqual(status(), { replicas: 1, updatedReplicas: undefined });

  const { workload } = old.planned;
  const other = { ...old.planned, workload: { ...workload, name: "api-1", uid: "new" } };
  mesh.show([outdated, { ...old, planned: other }]);
  assert.deepEqual(status(), { replicas: 2, updatedReplicas: 1 });
  const pods = mesh.store.list(servedKind("Pod"), "shop");
  const commands = pods.map((pod) => valueAt(pod, ["spec", "containers", 0, "command", 1]));
  assert.deepEqual(commands, ["one", "two"]);
  mesh.show([{ ...old, planned: other }]);
  assert.deepEqual(mesh.history, ["1 one 0", "2 two 1"]);
  assert.deepEqual(status(), { replicas: 1, updatedReplicas: 1 });
});

test("a rollout that is paused makes no revision, and nothing of it is carried out", () => {
  const mesh = staged("one");
  mesh.change((spec) => ({ ...spec, paused: true }));
  mesh.change(withCommand("two"));
  mesh.show();
  assert.deepEqual(mesh.history, ["1 one 1"]);
  const held = carriedOut(mesh.deployment, mesh.sets);
  assert.deepEqual(valueAt(held, ["spec", "template"]), templateOfSet(newestOf(mesh.sets) ?? held));
  mesh.change((spec) => ({ ...spec, paused: false }));
  assert.equal(carriedOut(mesh.deployment, mesh.sets), mesh.deployment);
  mesh.show();
  assert.deepEqual(mesh.history, ["1 one 0", "2 two 1"]);
});

test("the revision is nobody's wish: it is in no file", () => {
  const mesh = staged("one");
  assert.doesNotMatch(objectText(mesh.deployment), /revision/);
  assert.equal(mesh.deployment.metadata.managedFields, undefined);
});
