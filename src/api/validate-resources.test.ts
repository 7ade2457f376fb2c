import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import { validateResources } from "./validate-resources.ts";

const BOTH = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: "a*"}}
  mtls: {mode: 5}
  mtsl: {}
`;

test("every document is told by name, good ones too", () => {
  const text = `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n${BOTH}---\na: [\n---\n- 1\n`;
  const documents = validateResources(text, "mesh.yaml");
  assert.deepEqual(
    documents.map(({ kind, namespace, name, source, issues }) => [
      kind,
      namespace,
      name,
      source.line,
      issues.length > 0,
    ]),
    [
      ["Namespace", undefined, "shop", 1, false],
      ["PeerAuthentication", "shop", "api", 5, true],
      [undefined, undefined, undefined, 14, true],
      [undefined, undefined, undefined, 15, true],
    ],
  );
});

test("VAL-3: what both gates find is there twice, by level", () => {
  const [document] = validateResources(BOTH, "mesh.yaml");
  const found = document?.issues.filter(({ path }) => path === "spec.selector.matchLabels.app");
  assert.deepEqual(found?.map(({ level }) => level).toSorted(), ["schema", "webhook"]);
});

test("VAL-2: an unknown field is the schema's matter alone", () => {
  const [document] = validateResources(BOTH, "mesh.yaml");
  const found = document?.issues.filter(({ path }) => path === "spec.mtsl");
  assert.deepEqual(
    found?.map(({ level, problem }) => [level, problem]),
    [["schema", "is not a known field; did you mean mtls?"]],
  );
});

test("whoever uses the resources is told each fault once", () => {
  const paths = parseResources(BOTH, "mesh.yaml").issues.map(({ path }) => path);
  assert.deepEqual(paths, ["spec.selector.matchLabels.app", "spec.mtls.mode", "spec.mtsl"]);
});

test("an item of a List is told with its path", () => {
  const text = `apiVersion: v1
kind: List
items:
- apiVersion: networking.istio.io/v1
  kind: Sidecar
  metadata: {name: a, namespace: shop}
  spec: {egress: [{hosts: 8}]}
`;
  const [document] = validateResources(text, "mesh.yaml");
  const found = document?.issues.find(({ level }) => level === "schema");
  assert.equal(found?.path, "items[0].spec.egress[0].hosts");
  assert.equal(found?.source.line, 7);
});
