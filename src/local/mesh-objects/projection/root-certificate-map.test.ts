import assert from "node:assert/strict";
import { test } from "node:test";
import { put, servedKind, stageStore } from "../../../../test/kit/api-server-stage.ts";
import { objectAt } from "../../api-server/kinds/json-access.ts";
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ObjectStore } from "../../api-server/objects/object-store.ts";
import { originOf } from "../managers.ts";
import type { MeshFacts } from "./mesh-facts.ts";
import { MeshProjection } from "./mesh-projection.ts";

const CONFIG_MAP = servedKind("ConfigMap");
const NAMESPACE = servedKind("Namespace");
const NAME = "istio-ca-root-cert";

class Staged {
  readonly store: ObjectStore = stageStore();
  readonly #projection: MeshProjection = new MeshProjection(this.store);

  constructor(...namespaces: readonly string[]) {
    for (const name of namespaces)
      put(this.store, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }

  show(rootPem?: string): void {
    const facts: MeshFacts = {
      pods: [],
      workloads: [],
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
      rootPem,
      refused: [],
      node: "here",
    };
    this.#projection.show({ facts, observedGeneration: () => 1, isBusy: false });
  }

  roots(namespace: string): KubernetesObject | undefined {
    return this.store.get({ kind: CONFIG_MAP, namespace, name: NAME });
  }
}

test("CA-52: each namespace has the roots under the name and key where Istio's agent looks", () => {
  const mesh = new Staged("kube-system", "kube-public", "kube-node-lease");
  mesh.show("one\n");
  const told = mesh.store.list(CONFIG_MAP).map(({ metadata }) => metadata.namespace);
  assert.deepEqual(told.sort(), ["default", "istio-system", "kube-system", "shop"]);
  const roots = mesh.roots("shop");
  assert.deepEqual(roots?.["data"], { "root-cert.pem": "one\n" });
  assert.deepEqual(roots?.metadata.labels, { "istio.io/config": "true" });
  assert.ok(
    roots && originOf(roots, undefined) === "mesh",
    "it is no text of the mesh, and not kept",
  );
});

test("before the control plane has told of roots there is none", () => {
  const mesh = new Staged();
  mesh.show();
  assert.deepEqual(mesh.store.list(CONFIG_MAP), []);
});

test("other roots are told at once, and the same ones are not written again", () => {
  const mesh = new Staged();
  mesh.show("one\n");
  const before = mesh.roots("shop")?.metadata.resourceVersion;
  mesh.show("one\n");
  assert.equal(mesh.roots("shop")?.metadata.resourceVersion, before);
  mesh.show("one\ntwo\n");
  assert.deepEqual(mesh.roots("shop")?.["data"], { "root-cert.pem": "one\ntwo\n" });
});

test("CA-52: what somebody wrote into it, or took away, is put right", () => {
  const mesh = new Staged();
  mesh.show("one\n");
  const before = mesh.roots("shop");
  assert.ok(before);
  const place = { kind: CONFIG_MAP, namespace: "shop", name: NAME };
  const data = { ...objectAt(before, "data"), "root-cert.pem": "mine", more: "x" };
  mesh.store.commit({ ...place, before, after: { ...before, data } });
  mesh.show("one\n");
  assert.deepEqual(mesh.roots("shop")?.["data"], { "root-cert.pem": "one\n" });
  mesh.store.commit({ ...place, before: mesh.roots("shop"), after: undefined });
  mesh.show("one\n");
  assert.deepEqual(mesh.roots("shop")?.["data"], { "root-cert.pem": "one\n" });
});

test("a namespace that goes gets no new one", () => {
  const mesh = new Staged();
  const place = { kind: NAMESPACE, namespace: "", name: "shop" };
  const before = mesh.store.get(place);
  assert.ok(before);
  const metadata = { ...before.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
  mesh.store.commit({ ...place, before, after: { ...before, metadata } });
  mesh.show("one\n");
  assert.equal(mesh.roots("shop"), undefined);
});
