import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Deployment } from "../../api/deployment.ts";
import { parseResources } from "../../api/parse-resources.ts";
import type { Resource } from "../../api/resource.ts";
import {
  MissingVolumeDataError,
  planContainerFiles,
  rewritePaths,
  writeContainerFiles,
} from "./container-files.ts";

const rewrites = [
  { from: "/etc/policies", to: "/data/volumes/policies" },
  { from: "/etc", to: "/data/volumes/etc" },
];
const paths: [text: string, expected: string][] = [
  ["/etc/policies", "/data/volumes/policies"],
  ["/etc/policies/a.rego", "/data/volumes/policies/a.rego"],
  ["--config=/etc/policies/a,/etc/b", "--config=/data/volumes/policies/a,/data/volumes/etc/b"],
  ["/etc/policies-of-others", "/data/volumes/etc/policies-of-others"],
  ["/usr/etc/policies", "/usr/etc/policies"],
  ["http://host/etc/policies", "http://host/etc/policies"],
  ["etc/policies", "etc/policies"],
  ["", ""],
];
for (const [text, expected] of paths) {
  test(`the path in ${JSON.stringify(text)} becomes ${JSON.stringify(expected)}`, () => {
    assert.equal(rewritePaths(text, rewrites), expected);
  });
}

const YAML = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: production}
data: {one.txt: first, two.txt: second}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: production}
stringData: {token: s3cret}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: production}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - name: api
        image: api
        command: [api]
        volumeMounts:
        - {name: settings, mountPath: /etc/api}
        - {name: key, mountPath: /secrets/}
        - {name: cache, mountPath: /cache}
      volumes:
      - name: settings
        configMap: {name: settings, items: [{key: two.txt, path: below/2.txt}]}
      - name: key
        secret: {secretName: key}
      - name: cache
        emptyDir: {}
`;

function parts(yaml: string): { resources: readonly Resource[]; deployment: Deployment } {
  const { resources, issues } = parseResources(yaml, "mesh.yaml");
  assert.deepEqual(issues, []);
  const deployment = resources.find((resource) => resource.kind === "Deployment");
  return { resources, deployment: deployment ?? assert.fail("no Deployment") };
}

function planFor(yaml: string, folder: string): ReturnType<typeof planContainerFiles> {
  const { resources, deployment } = parts(yaml);
  const { template } = deployment;
  const [container] = template.containers;
  return planContainerFiles(container ?? assert.fail(), {
    template,
    namespace: "production",
    resources,
    folder,
  });
}

test("the files of volumes are written, a Secret's for the user alone", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  const plan = planFor(YAML, folder);
  await writeContainerFiles(plan);
  const there = (path: string): string => rewritePaths(path, plan.rewrites);
  assert.equal(await readFile(there("/etc/api/below/2.txt"), "utf8"), "second");
  await assert.rejects(readFile(there("/etc/api/one.txt")), { code: "ENOENT" });
  assert.equal(await readFile(there("/secrets/token"), "utf8"), "s3cret");
  assert.equal((await stat(there("/secrets/token"))).mode & 0o777, 0o600);
  assert.ok((await stat(there("/cache"))).isDirectory());
});

test("a volume of something that is not there says where and what to do", () => {
  const broken = YAML.replace("secretName: key", "secretName: other");
  assert.throws(
    () => planFor(broken, "/nowhere"),
    (error) =>
      error instanceof MissingVolumeDataError &&
      /mesh\.yaml:\d+: secret other is not defined; define it/.test(error.message),
  );
});

test("an optional one may be missing", () => {
  const optional = YAML.replace("secretName: key", "secretName: other, optional: true");
  assert.equal(planFor(optional, "/nowhere").files.length, 1);
});
