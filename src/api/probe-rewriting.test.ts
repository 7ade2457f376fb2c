import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";

const ANNOTATION = "sidecar.istio.io/rewriteAppHTTPProbers";

function read(annotations: string) {
  const { resources, issues, notices } = parseResources(
    `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}, annotations: ${annotations}}
    spec: {containers: [{name: main, image: i}]}
`,
    "mesh.yaml",
  );
  assert.deepEqual(issues, []);
  const [owner] = resources;
  assert.ok(owner?.kind === "Deployment");
  const said = notices.map(({ message }) => message);
  return { rewriting: owner.template.probeRewriting, said };
}

test("INJ-27 probes pass by the sidecar unless the pod says otherwise", () => {
  assert.deepEqual(read("{}"), { rewriting: "on", said: [] });
});

for (const word of ["1", "t", "T", "TRUE", "true", "True"]) {
  test(`INJ-27 "${word}" is yes`, () => {
    assert.deepEqual(read(`{${ANNOTATION}: "${word}"}`), { rewriting: "on", said: [] });
  });
}

for (const word of ["0", "f", "F", "FALSE", "false", "False"]) {
  test(`INJ-27 "${word}" is no, and what that means is told`, () => {
    const { rewriting, said } = read(`{${ANNOTATION}: "${word}"}`);
    assert.equal(rewriting, "off");
    assert.match(said.join("\n"), /^probes meet the pod's sidecar like any caller/);
  });
}

for (const word of ["", "yes", "no", "tRUE", " false"]) {
  test(`INJ-27 "${word}" says nothing, and that is told`, () => {
    const { rewriting, said } = read(`{${ANNOTATION}: "${word}"}`);
    assert.equal(rewriting, "on");
    assert.match(said.join("\n"), /neither "true" nor "false"/);
  });
}
