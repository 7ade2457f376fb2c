import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import { formatLocation } from "./resource.ts";

const text = (annotation: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata:
      labels: {app: api}
      annotations:
        ${annotation}
    spec: {containers: [{name: a, image: x}]}
`;

const cases: readonly [annotation: string, problem?: RegExp][] = [
  ['hauberk.dev/workload-api: "true"'],
  ['hauberk.dev/workload-api: "false"'],
  ["other.dev/workload-ap: x"],
  ["hauberk.dev/proxy: envoy"],
  ["hauberk.dev/proxy: embedded"],
  ["hauberk.dev/proxy: Envoy", /is "Envoy"; expected "envoy" or "embedded"/],
  ['hauberk.dev/workload-api: "yes"', /is "yes"; expected "true" or "false"/],
  ['hauberk.dev/workload-api: "True"', /is "True"; expected "true" or "false"/],
  ['hauberk.dev/workload-ap: "true"', /did you mean hauberk.dev\/workload-api\?/],
  [
    "hauberk.dev/color: blue",
    /is no annotation of this mesh; there is hauberk.dev\/workload-api, hauberk.dev\/proxy/,
  ],
];
for (const [annotation, problem] of cases) {
  test(`${annotation} is ${problem === undefined ? "taken" : "refused, where it stands"}`, () => {
    const { issues } = parseResources(text(annotation), "mesh.yaml");
    assert.equal(issues.length, problem === undefined ? 0 : 1);
    const [issue] = issues;
    if (problem === undefined || issue === undefined) return;
    assert.match(issue.problem, problem);
    assert.equal(formatLocation(issue.source), "mesh.yaml:10");
  });
}
