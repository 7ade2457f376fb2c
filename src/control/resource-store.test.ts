import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_MESH_SETTINGS, type MeshConfig } from "../api/mesh-config.ts";
import type { Namespace } from "../api/namespace.ts";
import type { Issue } from "../api/resource.ts";
import { ResourceStore } from "./resource-store.ts";

const source = { file: "mesh.yaml", line: 1 };
const namespace = (name: string): Namespace => ({
  kind: "Namespace",
  meta: { apiVersion: "v1", namespace: "", name, labels: {}, annotations: {}, source },
});

test("a faulty set is refused whole and the last good one stays in force", () => {
  const heard: Issue[] = [];
  const store = new ResourceStore([namespace("good")], (found) => heard.push(...found));
  const issues = [{ source, path: "spec", problem: "is broken" }];
  assert.equal(store.offer({ resources: [namespace("new")], issues, notices: [] }), "refused");
  assert.equal(store.resources.current[0]?.meta.name, "good");
  assert.deepEqual(heard, issues);
  assert.equal(store.offer({ resources: [namespace("new")], issues: [], notices: [] }), "taken");
  assert.equal(store.resources.current[0]?.meta.name, "new");
});

test("another trust domain is refused: every identity is made of it", () => {
  const heard: Issue[] = [];
  const store = new ResourceStore([namespace("good")], (found) => heard.push(...found));
  const { meta } = namespace("istio");
  const settings = { ...DEFAULT_MESH_SETTINGS, trustDomain: "other.example" };
  const config: MeshConfig = { kind: "MeshConfig", meta, settings };
  assert.equal(store.offer({ resources: [config], issues: [], notices: [] }), "refused");
  assert.match(heard[0]?.problem ?? "", /from cluster\.local to other\.example; restart/);
});
