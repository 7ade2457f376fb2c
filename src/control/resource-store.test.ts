import assert from "node:assert/strict";
import { test } from "node:test";
import type { MeshConfig } from "../api/mesh-config.ts";
import { DEFAULT_MESH_SETTINGS } from "../api/mesh-settings.ts";
import type { Namespace } from "../api/namespace.ts";
import { parseResources } from "../api/parse-resources.ts";
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
  assert.equal(store.offer({ resources: [namespace("new")], issues }), "refused");
  assert.equal(store.resources.current[0]?.meta.name, "good");
  assert.deepEqual(heard, issues);
  assert.equal(store.offer({ resources: [namespace("new")], issues: [] }), "taken");
  assert.equal(store.resources.current[0]?.meta.name, "new");
});

test("another trust domain is refused: every identity is made of it", () => {
  const heard: Issue[] = [];
  const store = new ResourceStore([namespace("good")], (found) => heard.push(...found));
  const { meta } = namespace("istio");
  const settings = { ...DEFAULT_MESH_SETTINGS, trustDomain: "other.example" };
  const config: MeshConfig = { kind: "MeshConfig", meta, settings, ownSection: "absent" };
  assert.equal(store.offer({ resources: [config], issues: [] }), "refused");
  assert.match(heard[0]?.problem ?? "", /from cluster\.local to other\.example; restart/);
});

test("VAL-75: a mesh configuration with one fault changes nothing, whatever else it says", () => {
  const heard: Issue[] = [];
  const first = parseResources("enableAutoMtls: false", "mesh.yaml");
  const store = new ResourceStore(first.resources, (found) => heard.push(...found));
  const faulty = "enableAutoMtls: true\nextensionProviders: [{name: a, zipkin: {service: b.c}}]";
  assert.equal(store.offer(parseResources(faulty, "mesh.yaml")), "refused");
  assert.equal(heard[0]?.path, "extensionProviders[0].zipkin.port");
  const [config] = store.resources.current;
  assert.equal(config?.kind === "MeshConfig" && config.settings.enableAutoMtls, false);
});

test("what no sidecar would enforce is refused, and the last good state stays", () => {
  const heard: Issue[] = [];
  const store = new ResourceStore([namespace("good")], (found) => heard.push(...found));
  const filter = `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: x, namespace: shop}
spec: {url: oci://a/b}`;
  assert.equal(store.offer(parseResources(filter, "mesh.yaml")), "refused");
  assert.match(heard[0]?.problem ?? "", /WasmPlugin shop\/x cannot be enforced/);
  assert.equal(store.resources.current[0]?.meta.name, "good");
});

test("what this mesh in particular cannot do is refused, and the last good state stays", () => {
  const heard: Issue[] = [];
  const issue = { source, path: "", problem: "is not for this mesh" };
  const store = new ResourceStore(
    [namespace("good")],
    (found) => heard.push(...found),
    (resources) => (resources.some(({ meta }) => meta.name === "elsewhere") ? [issue] : []),
  );
  const offer = (name: string): string => store.offer({ resources: [namespace(name)], issues: [] });
  assert.equal(offer("elsewhere"), "refused");
  assert.deepEqual(heard, [issue]);
  assert.equal(store.resources.current[0]?.meta.name, "good");
  assert.equal(offer("here"), "taken");
});
