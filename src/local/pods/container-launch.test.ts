import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import type { Deployment } from "../../api/deployment.ts";
import { parseResources } from "../../api/parse-resources.ts";
import type { Workload } from "../../policy/workload.ts";
import {
  type ContainerLaunch,
  NoCommandError,
  OpenSubPathError,
  planContainerLaunch,
} from "./container-launch.ts";
import { MissingVariableDataError } from "./container-variables.ts";

const MESH = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: production}
data: {WORD: blue, page: index.html}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: production}
stringData: {token: "s3cret$$(HOST)/www"}
---
apiVersion: hauberk.dev/v1
kind: ImageCommands
metadata: {name: images}
spec:
  images:
  - {image: "python:*", command: [python3], args: [-i], env: [{name: FROM_IMAGE, value: image}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: production}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere, namespace: other}
spec: {selector: {app: api}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: production}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      serviceAccountName: api-account
      volumes:
      - {name: files, configMap: {name: settings}}
      containers:
      - name: api
        image: CONTAINER_IMAGE
        args: ["--listen", "$(HOST):$(PORT)", "--root=/www/$(PAGE)"]
        ports: [{containerPort: 8080}, {containerPort: 9090}]
        volumeMounts: [{name: files, mountPath: /www}]
        envFrom: [{configMapRef: {name: settings}, prefix: SETTING_}]
        env:
        - {name: PAGE, valueFrom: {configMapKeyRef: {name: settings, key: page}}}
        - {name: TOKEN, valueFrom: {secretKeyRef: {name: key, key: TOKEN_KEY}}}
        - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: URL, value: "http://$(SETTING_WORD)/$(NAME)"}
        - {name: WHERE, value: /www/below}
`;

const VOLUMES = "{name: files, configMap: {name: settings}}";
const MOUNTS = "[{name: files, mountPath: /www}]";

const loopback = (port: number) => ({ address: "127.0.0.1", port });
const workload: Workload = {
  namespace: "production",
  name: "api-0",
  uid: "1",
  owner: "api",
  ownerKind: "Deployment",
  ready: true,
  labels: { app: "api" },
  serviceAccount: "api-account",
  injected: true,
  ports: [
    { name: "", containerPort: 8080, listen: loopback(20_001), application: loopback(20_002) },
    { name: "", containerPort: 9090, listen: loopback(20_003), application: loopback(20_004) },
  ],
  outboundListeners: [
    {
      serviceNamespace: "production",
      serviceName: "api",
      servicePort: 80,
      listen: loopback(20_005),
    },
  ],
  httpProxy: loopback(20_006),
};

function launch(
  changes: {
    image?: string;
    key?: string;
    paths?: ContainerLaunch["paths"];
    volumes?: string;
    mounts?: string;
  } = {},
): ContainerLaunch {
  const { volumes = VOLUMES, mounts = MOUNTS } = changes;
  const yaml = MESH.replace("CONTAINER_IMAGE", changes.image ?? "python:3.12")
    .replace("TOKEN_KEY", changes.key ?? "token")
    .replace(VOLUMES, volumes)
    .replace(MOUNTS, mounts);
  const { resources, issues } = parseResources(yaml, "folder/mesh.yaml");
  assert.deepEqual(issues, []);
  const deployment = resources.find((one): one is Deployment => one.kind === "Deployment");
  const { template, meta } = deployment ?? assert.fail("no Deployment");
  const [container] = template.containers;
  return planContainerLaunch(
    {
      pod: {
        workload,
        template,
        source: meta.source,
        containers: template.containers,
        dataPlane: "embedded",
        update: deployment?.strategy ?? { kind: "all at once" },
        minReadySeconds: 0,
        sidecar: { certificateLifetimeSeconds: 60, concurrency: 1 },
      },
      container: container ?? assert.fail("no container"),
    },
    {
      resources,
      services: resources.filter((one) => one.kind === "Service"),
      workloads: [workload],
      proxyPassword: "pass",
      serviceAddresses: {},
      temporaryDirectory: "/data/pods/api-0/tmp",
      podFolder: "/data/pods/api-0",
      claimFolder: (volume) => `/data/claims/${volume}`,
      paths: changes.paths ?? "rewritten",
      inherited: { PATH: "/bin", SECRET_OF_THE_SHELL: "x" },
    },
  );
}

test("an image's command is run, with the container's arguments, expanded and rewritten", () => {
  const { command, workingDirectory } = launch();
  assert.deepEqual(command, [
    "python3",
    "--listen",
    "127.0.0.1:20002",
    "--root=/data/pods/api-0/volumes/files/index.html",
  ]);
  assert.equal(workingDirectory, resolve("folder"));
});

test("the environment: where to listen, where services are, what the manifest sets, nothing of the shell", () => {
  const { environment } = launch();
  assert.deepEqual(environment, {
    TMPDIR: "/data/pods/api-0/tmp",
    PATH: "/bin",
    HOST: "127.0.0.1",
    PORT: "20002",
    PORT_8080: "20002",
    PORT_9090: "20004",
    API_SERVICE_HOST: "127.0.0.1",
    API_SERVICE_PORT: "20005",
    API_SERVICE_PORT_HTTP: "20005",
    HTTP_PROXY: "http://api-0:pass@127.0.0.1:20006",
    http_proxy: "http://api-0:pass@127.0.0.1:20006",
    NO_PROXY: "127.0.0.1,localhost",
    no_proxy: "127.0.0.1,localhost",
    NODE_USE_ENV_PROXY: "1",
    FROM_IMAGE: "image",
    SETTING_WORD: "blue",
    SETTING_page: "index.html",
    PAGE: "index.html",
    TOKEN: "s3cret$$(HOST)/www",
    NAME: "api-0",
    URL: "http://blue/api-0",
    WHERE: "/data/pods/api-0/volumes/files/below",
  });
});

test("a container that nothing says how to run names its image and what to do", () => {
  assert.throws(
    () => launch({ image: "nginx" }),
    (error) =>
      error instanceof NoCommandError &&
      /folder\/mesh\.yaml:\d+: container api has no command, .* image nginx .* add a command/.test(
        error.message,
      ),
  );
});

test("a key that is not there is named, a secret's value is not", () => {
  assert.throws(
    () => launch({ key: "absent" }),
    (error) =>
      error instanceof MissingVariableDataError &&
      /secret key has no key absent; define it/.test(error.message) &&
      !error.message.includes("s3cret"),
  );
});

test("a part of a volume is not mounted while another mount could put a link in its place", () => {
  const volumes = "{name: files, emptyDir: {}}";
  const part = "{name: files, mountPath: /part, subPath: part}";
  const mounted = (mounts: string): ContainerLaunch =>
    launch({ paths: "mounted", volumes, mounts });
  assert.throws(() => mounted(`[{name: files, mountPath: /www}, ${part}]`), OpenSubPathError);
  for (const mounts of [
    `[${part}]`,
    `[{name: files, mountPath: /www, readOnly: true}, ${part}]`,
    `[{name: files, mountPath: /www, subPath: other}, ${part}]`,
  ]) {
    assert.equal(mounted(mounts).paths, "mounted");
  }
});
