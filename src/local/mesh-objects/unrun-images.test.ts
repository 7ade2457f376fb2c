import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../../api/parse-resources.ts";
import type { JsonObject, KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import { unrunImages } from "./unrun-images.ts";

const { resources } = parseResources(
  `apiVersion: hauberk.dev/v1
kind: ImageCommands
metadata: {name: images}
spec:
  images:
  - {image: "python:*", command: [python3]}
  - {image: "api:v1", command: [node, one.mjs]}
  - {image: "api:v2", command: [node, two.mjs]}
`,
  "images.yaml",
);

const deployment = (container: JsonObject): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "api" },
  spec: { template: { spec: { containers: [{ name: "app", ...container }] } } },
});

const cases: readonly [why: string, before: JsonObject, after: JsonObject, said?: RegExp][] = [
  [
    "another image beside a command",
    { image: "api:v1", command: ["node", "api.mjs"] },
    { image: "api:v2", command: ["node", "api.mjs"] },
    /^spec\.template\.spec\.containers\[0\]\.image: "api:v2" is not what runs here: container app runs its command on this machine, "node"/,
  ],
  [
    "another image that the same entry maps",
    { image: "python:3.12" },
    { image: "python:3.13" },
    /ImageCommands say of both images \(images\.yaml:6, "python:\*"\)/,
  ],
  ["another entry", { image: "api:v1" }, { image: "api:v2" }],
  ["an image that nobody maps", { image: "api:v1" }, { image: "other" }],
  ["the same image", { image: "a", command: ["b"] }, { image: "a", command: ["c"] }],
  [
    "another command with the image",
    { image: "api:v1", command: ["node"] },
    { image: "api:v2", command: ["deno"] },
  ],
  [
    "the command given up for the image",
    { image: "api:v1", command: ["node"] },
    { image: "api:v2", command: [] },
  ],
  [
    "another container",
    { name: "old", image: "a", command: ["b"] },
    { name: "new", image: "c", command: ["b"] },
  ],
];
for (const [why, before, after, said] of cases) {
  test(`${why} is ${said === undefined ? "no matter" : "told"}`, () => {
    const change = { before: deployment(before), after: deployment(after) };
    const warnings = unrunImages(change, resources);
    assert.equal(warnings.length, said === undefined ? 0 : 1);
    if (said !== undefined) assert.match(warnings.join(), said);
  });
}

test("what is made anew, or goes, changes no image", () => {
  const object = deployment({ image: "api", command: ["node"] });
  assert.deepEqual(unrunImages({ before: undefined, after: object }, resources), []);
  assert.deepEqual(unrunImages({ before: object, after: undefined }, resources), []);
});
