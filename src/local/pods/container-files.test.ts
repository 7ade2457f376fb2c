import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Deployment } from "../../api/deployment.ts";
import { parseResources } from "../../api/parse-resources.ts";
import type { Resource } from "../../api/resource.ts";
import { MissingVolumeDataError, planContainerFiles } from "./container-files.ts";
import { type PathRewrite, rewritePaths } from "./rewrite-paths.ts";
import { type FileWriter, writeContainerFiles } from "./write-container-files.ts";

const rewrites: readonly PathRewrite[] = [
  {
    from: "/etc/policies",
    to: "/data/volumes/policies",
    access: "read-only",
    origin: "pod",
    root: "/data",
  },
  { from: "/etc", to: "/data/volumes/etc", access: "read-only", origin: "pod", root: "/data" },
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

function planFor(
  yaml: string,
  folder: string,
  automountToken: "on" | "off" = "off",
): ReturnType<typeof planContainerFiles> {
  const { resources, deployment } = parts(yaml);
  const { template } = deployment;
  const [container] = template.containers;
  return planContainerFiles(container ?? assert.fail(), {
    template,
    namespace: "production",
    resources,
    folder,
    claimFolder: (volume) => `/claims/${volume}-api-0`,
    automountToken,
  });
}

/** Says what it was asked to make. */
const WRITER: FileWriter = { make: async (credential) => JSON.stringify(credential) };

test("the files of volumes are written, a Secret's for the user alone", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  const plan = planFor(YAML, folder);
  await writeContainerFiles(plan, WRITER);
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

const FURTHER = YAML.replace(
  "{name: cache, mountPath: /cache}",
  `{name: cache, mountPath: /cache}
        - {name: both, mountPath: /both}
        - {name: machine, mountPath: /machine, readOnly: true}
        - {name: shared, mountPath: /shared, subPath: below}`,
).replace(
  "emptyDir: {}",
  `emptyDir: {}
      - name: both
        projected:
          sources:
          - serviceAccountToken: {path: vault/token, audience: vault, expirationSeconds: 600}
          - configMap: {name: settings, items: [{key: one.txt, path: one}]}
      - name: machine
        hostPath: {path: /etc}
      - name: shared
        hostPath: {path: /usr}`,
);

test("every kind of volume has its place and its access", () => {
  const { rewrites: places, folders } = planFor(FURTHER, "/pod");
  assert.deepEqual(Object.fromEntries(places.map(({ from, to, access }) => [from, [to, access]])), {
    "/etc/api": ["/pod/volumes/settings", "read-only"],
    "/secrets": ["/pod/volumes/key", "read-only"],
    "/cache": ["/pod/volumes/cache", "read-write"],
    "/both": ["/pod/volumes/both", "read-only"],
    "/machine": ["/etc", "read-only"],
    "/shared": ["/usr/below", "read-write"],
  });
  assert.ok(!folders.includes("/usr") && !folders.includes("/etc"), "not ours to make");
});

test("a projected volume has files and tokens; tokens are made when they are written", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  const plan = planFor(FURTHER, folder);
  await writeContainerFiles(plan, WRITER);
  const there = (path: string): Promise<string> =>
    readFile(rewritePaths(path, plan.rewrites), "utf8");
  assert.equal(await there("/both/one"), "first");
  assert.deepEqual(JSON.parse(await there("/both/vault/token")), {
    kind: "token",
    audience: "vault",
    lifetimeSeconds: 600,
  });
});

test("the pod's own token is where Kubernetes puts it, unless something else is mounted there", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  const account = "/var/run/secrets/kubernetes.io/serviceaccount";
  const plan = planFor(YAML, folder, "on");
  await writeContainerFiles(plan, WRITER);
  const own = rewritePaths(account, plan.rewrites);
  assert.equal(await readFile(join(own, "namespace"), "utf8"), "production");
  assert.match(await readFile(join(own, "token"), "utf8"), /"kind":"token"/);
  assert.match(await readFile(join(own, "ca.crt"), "utf8"), /root-certificate/);
  const taken = planFor(YAML.replace("/cache", account), folder, "on");
  assert.deepEqual(taken.credentials, []);
  assert.deepEqual(planFor(YAML, folder).credentials, []);
});

/** As an injector of Istio's mounts it. */
const ROOTS = "configMap: {name: istio-ca-root-cert}";
const withRoots = (volume: string): string =>
  YAML.replace("configMap: {name: settings, items: [{key: two.txt, path: below/2.txt}]}", volume);

for (const [volume, path] of [
  [ROOTS, "root-cert.pem"],
  ["configMap: {name: istio-ca-root-cert, items: [{key: root-cert.pem, path: a/b}]}", "a/b"],
  [`projected: {sources: [{${ROOTS}}]}`, "root-cert.pem"],
] as const)
  test(`CA-52: the mesh's roots are mounted as any ConfigMap: ${volume}`, async (context) => {
    const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
    context.after(() => rm(folder, { recursive: true }));
    const plan = planFor(withRoots(volume), folder);
    await writeContainerFiles(plan, WRITER);
    const written = rewritePaths(join("/etc/api", path), plan.rewrites);
    assert.deepEqual(JSON.parse(await readFile(written, "utf8")), { kind: "root-certificate" });
  });

test("a key that the mesh's roots have not is told, unless it may be absent", () => {
  const asked = "configMap: {name: istio-ca-root-cert, items: [{key: ca.crt, path: ca.crt}]}";
  assert.throws(
    () => planFor(withRoots(asked), "/pod"),
    /configMap istio-ca-root-cert has no key ca\.crt/,
  );
  const optional = asked.replace("items", "optional: true, items");
  assert.deepEqual(planFor(withRoots(optional), "/pod").credentials, []);
});

test("CA-52: who writes a ConfigMap of that name in a file is given the roots all the same", () => {
  const own = `apiVersion: v1
kind: ConfigMap
metadata: {name: istio-ca-root-cert, namespace: production}
data: {root-cert.pem: mine}
---${withRoots(ROOTS)}`;
  const { files, credentials } = planFor(own, "/pod");
  assert.ok(!files.some(({ content }) => Buffer.from(content).toString() === "mine"));
  assert.deepEqual(
    credentials.map(({ credential }) => credential.kind),
    ["root-certificate"],
  );
});

test("a folder of the machine that is not there is told with its place", () => {
  assert.throws(
    () => planFor(FURTHER.replace("path: /usr", "path: /no/such/folder"), "/pod"),
    /mesh\.yaml:\d+: hostPath \/no\/such\/folder is not there; create it/,
  );
});
