import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";

/** The spec's own fields are at line 5, the pod's at line 8. */
const jobText = ({ spec = "suspend: false", pod = "restartPolicy: Never" }): string =>
  `apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec:
  ${spec}
  template:
    spec:
      ${pod}
      containers: [{name: main, command: [node, migrate.js]}]
`;
const parse = (written: Parameters<typeof jobText>[0]) =>
  parseResources(jobText(written), "mesh.yaml");

function job(written: Parameters<typeof jobText>[0]) {
  const { resources, issues } = parse(written);
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "Job");
  return resource;
}

test("defaults", () => {
  const { completions, backoffLimit, template } = job({});
  assert.deepEqual([completions, backoffLimit], [1, 6]);
  assert.equal(template.restartPolicy, "Never");
  assert.deepEqual(
    template.containers.map(({ command }) => command),
    [["node", "migrate.js"]],
  );
});

test("all that is used", () => {
  const { completions, backoffLimit, template } = job({
    spec: "completions: 3\n  parallelism: 1\n  completionMode: NonIndexed\n  backoffLimit: 0",
    pod: "restartPolicy: OnFailure\n      serviceAccountName: migrator",
  });
  assert.deepEqual([completions, backoffLimit], [3, 0]);
  assert.deepEqual(
    [template.restartPolicy, template.serviceAccountName],
    ["OnFailure", "migrator"],
  );
});

test("known fields without effect are told", () => {
  const { notices } = parse({
    spec: "ttlSecondsAfterFinished: 60\n  activeDeadlineSeconds: 60\n  selector: {matchLabels: {a: b}}",
  });
  assert.deepEqual(
    notices.map(({ message }) => message),
    [
      "accepted, without effect here yet: spec.activeDeadlineSeconds, spec.selector, spec.ttlSecondsAfterFinished",
    ],
  );
});

const invalid: [written: Parameters<typeof jobText>[0], issue: RegExp][] = [
  [
    { pod: "hostNetwork: false" },
    /^7 spec\.template\.spec\.restartPolicy: is missing; expected one of Never, OnFailure$/,
  ],
  [{ pod: "restartPolicy: Always" }, /^8 .*restartPolicy: is "Always"; expected one of Never, On/],
  [{ spec: "parallelism: 2" }, /^5 spec\.parallelism: not supported yet: parallelism 2; only 1/],
  [{ spec: "parallelism: 0" }, /spec\.parallelism: not supported yet: parallelism 0; only 1 is$/],
  [{ spec: "completions: -1" }, /completions: is the number -1; expected a whole number from 0/],
  [{ spec: "backoffLimit: 1.5" }, /backoffLimit: is the number 1\.5/],
  [{ spec: "completionMode: Indexed" }, /completionMode: not supported yet: Indexed$/],
  [{ spec: "suspend: true" }, /suspend: not supported yet: suspend$/],
  [{ spec: "podFailurePolicy: {}" }, /not supported yet: podFailurePolicy$/],
  [{ spec: "backofLimit: 1" }, /backofLimit: is not a known field; did you mean backoffLimit\?$/],
  [{ spec: "replicas: 1" }, /spec\.replicas: is not a known field$/],
];
for (const [written, issue] of invalid) {
  test(`${JSON.stringify(written)} is refused`, () => {
    const { issues, resources } = parse(written);
    const found = issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.deepEqual(resources, []);
  });
}
