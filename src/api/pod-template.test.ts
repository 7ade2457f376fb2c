import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";

/** The pod's own fields are at line 9, the container's at line 12. */
const podText = ({ pod = "hostNetwork: false", container = "stdin: null" }): string =>
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      ${pod}
      containers:
      - name: main
        ${container}
        image: i
        ports: [{name: http, containerPort: 8080}]
`;
type Written = Parameters<typeof podText>[0];
const parse = (written: Written) => parseResources(podText(written), "mesh.yaml");

function template(written: Written) {
  const { resources, issues } = parse(written);
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "Deployment");
  return resource.template;
}

function container(written: Written) {
  const [first] = template(written).containers;
  assert.ok(first);
  return first;
}

const source = (line: number) => ({ file: "mesh.yaml", line });

test("volumes from a ConfigMap, a Secret and nothing", () => {
  const pod = `volumes:
      - {name: policies, configMap: {name: opa-policies}}
      - name: keys
        secret:
          secretName: keys
          defaultMode: 0400
          optional: true
          items: [{key: tls.crt, path: pem/cert.pem}, {key: tls.key, path: key.pem, mode: 256}]
      - {name: scratch, emptyDir: {}}
      - {name: bare}`;
  assert.deepEqual(template({ pod }).volumes, [
    {
      kind: "configMap",
      name: "policies",
      resourceName: "opa-policies",
      items: [],
      optional: false,
      defaultMode: 0o644,
      source: source(10),
    },
    {
      kind: "secret",
      name: "keys",
      resourceName: "keys",
      items: [
        { key: "tls.crt", path: "pem/cert.pem" },
        { key: "tls.key", path: "key.pem", mode: 0o400 },
      ],
      optional: true,
      defaultMode: 0o400,
      source: source(11),
    },
    { kind: "emptyDir", name: "scratch", source: source(17) },
    { kind: "emptyDir", name: "bare", source: source(18) },
  ]);
});

test("volumes of the machine, and of several sources", () => {
  const pod = `volumes:
      - {name: sockets, hostPath: {path: "/run/a:b", type: Directory}}
      - name: token
        projected:
          defaultMode: 0440
          sources:
          - serviceAccountToken: {audience: vault, expirationSeconds: 600, path: vault/token}
          - serviceAccountToken: {path: token}
          - configMap: {name: roots, items: [{key: ca.crt, path: ca.crt}]}
          - secret: {name: extra, optional: true}`;
  assert.deepEqual(template({ pod }).volumes, [
    { kind: "hostPath", name: "sockets", path: "/run/a:b", source: source(10) },
    {
      kind: "projected",
      name: "token",
      defaultMode: 0o440,
      sources: [
        {
          kind: "serviceAccountToken",
          audience: "vault",
          expirationSeconds: 600,
          path: "vault/token",
        },
        { kind: "serviceAccountToken", expirationSeconds: 3600, path: "token" },
        {
          kind: "configMap",
          resourceName: "roots",
          items: [{ key: "ca.crt", path: "ca.crt" }],
          optional: false,
        },
        { kind: "secret", resourceName: "extra", items: [], optional: true },
      ],
      source: source(11),
    },
  ]);
});

test("what the pod is called, and below which service", () => {
  const { hostname, subdomain } = template({ pod: "hostname: first\n      subdomain: peers" });
  assert.deepEqual([hostname, subdomain], ["first", "peers"]);
});

test("mounts", () => {
  const { volumeMounts } = container({
    pod: "volumes: [{name: a, emptyDir: {}}]",
    container: `volumeMounts:
        - {name: a, mountPath: /a}
        - {name: a, mountPath: /b/c.pem, subPath: c.pem, readOnly: true}`,
  });
  assert.deepEqual(volumeMounts, [
    { name: "a", mountPath: "/a", readOnly: false },
    { name: "a", mountPath: "/b/c.pem", subPath: "c.pem", readOnly: true },
  ]);
});

test("variables from a ConfigMap, a Secret and the pod", () => {
  const { env, envFrom } = container({
    container: `env:
        - {name: PLAIN, value: a}
        - {name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: level}}}
        - {name: WORD, valueFrom: {secretKeyRef: {name: token, key: word, optional: true}}}
        - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: NS, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}}
        - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        - {name: SA, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
        envFrom:
        - {configMapRef: {name: settings}}
        - {prefix: T_, secretRef: {name: token, optional: true}}`,
  });
  assert.deepEqual(env, [
    { name: "PLAIN", value: "a" },
    {
      name: "LEVEL",
      from: { kind: "configMapKeyRef", name: "settings", key: "level", optional: false },
    },
    { name: "WORD", from: { kind: "secretKeyRef", name: "token", key: "word", optional: true } },
    { name: "POD", from: { kind: "fieldRef", fieldPath: "metadata.name" } },
    { name: "NS", from: { kind: "fieldRef", fieldPath: "metadata.namespace" } },
    { name: "IP", from: { kind: "fieldRef", fieldPath: "status.podIP" } },
    { name: "SA", from: { kind: "fieldRef", fieldPath: "spec.serviceAccountName" } },
  ]);
  assert.deepEqual(envFrom, [
    { kind: "configMapRef", name: "settings", prefix: "", optional: false },
    { kind: "secretRef", name: "token", prefix: "T_", optional: true },
  ]);
});

const TIMING = {
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  failureThreshold: 3,
  successThreshold: 1,
};

test("probes, with the defaults of Kubernetes", () => {
  const { livenessProbe, readinessProbe, startupProbe } = container({
    container: `livenessProbe: {httpGet: {path: "/health?plugins", port: 8282}, initialDelaySeconds: 5}
        readinessProbe: {tcpSocket: {port: http}, successThreshold: 2, periodSeconds: 0}
        startupProbe: {exec: {command: [test, -f, /ready]}, failureThreshold: 30, periodSeconds: 2, timeoutSeconds: 4}`,
  });
  assert.deepEqual(livenessProbe, {
    check: {
      kind: "httpGet",
      scheme: "HTTP",
      path: "/health?plugins",
      port: 8282,
      headers: [],
    },
    ...TIMING,
    initialDelaySeconds: 5,
  });
  assert.deepEqual(readinessProbe, {
    check: { kind: "tcpSocket", port: 8080 },
    ...TIMING,
    successThreshold: 2,
  });
  assert.deepEqual(startupProbe, {
    check: { kind: "exec", command: ["test", "-f", "/ready"] },
    ...TIMING,
    failureThreshold: 30,
    periodSeconds: 2,
    timeoutSeconds: 4,
  });
});

test("a probe over HTTP, by name, with headers and without a slash", () => {
  const { readinessProbe } = container({
    container:
      "readinessProbe: {httpGet: {scheme: HTTP, path: ok, port: http, httpHeaders: [{name: Host, value: a}]}}",
  });
  const headers = [{ name: "Host", value: "a" }];
  assert.deepEqual(readinessProbe?.check, {
    kind: "httpGet",
    scheme: "HTTP",
    path: "/ok",
    port: 8080,
    headers,
  });
});

const paths: [path: string, asked: string][] = [
  ["", "/"],
  ["ready?full=1&v=%20", "/ready?full=1&v=%20"],
  ["?full", "/?full"],
  ["/a#b", "/a"],
  ["#b", "/"],
  ["//a", "//a"],
  ["http://elsewhere/a", "/http://elsewhere/a"],
];
for (const [path, asked] of paths) {
  test(`the path "${path}" of a probe asks for ${asked}`, () => {
    const { livenessProbe } = container({
      container: `livenessProbe: {httpGet: {port: 1, scheme: HTTPS, path: "${path}"}}`,
    });
    const headers: readonly string[] = [];
    const expected = { kind: "httpGet", scheme: "HTTPS", path: asked, port: 1, headers };
    assert.deepEqual(livenessProbe?.check, expected);
  });
}

test("a probe of gRPC, of the whole server and of one service", () => {
  const { livenessProbe, readinessProbe } = container({
    container: `livenessProbe: {grpc: {port: 9000}}
        readinessProbe: {grpc: {port: 9000, service: shop.Prices}}`,
  });
  assert.deepEqual(livenessProbe?.check, { kind: "grpc", port: 9000, service: "" });
  assert.deepEqual(readinessProbe?.check, { kind: "grpc", port: 9000, service: "shop.Prices" });
});

test("a probe that is null is none", () => {
  assert.equal("livenessProbe" in container({ container: "livenessProbe: null" }), false);
});

test("what a container has to end where a probe gave it up", () => {
  const probe = "{tcpSocket: {port: 1}, terminationGracePeriodSeconds: 3}";
  const { livenessProbe, startupProbe } = container({
    container: `livenessProbe: ${probe}\n        startupProbe: {tcpSocket: {port: 1}}`,
  });
  assert.equal(livenessProbe?.terminationGracePeriodSeconds, 3);
  assert.equal(startupProbe && "terminationGracePeriodSeconds" in startupProbe, false);
  refuses({ container: `readinessProbe: ${probe}` }, /GracePeriodSeconds: is not a known field$/);
  refuses(
    { container: "livenessProbe: {tcpSocket: {port: 1}, terminationGracePeriodSeconds: 0}" },
    /GracePeriodSeconds: is the number 0/,
  );
});

test("restart policy and grace period", () => {
  const { restartPolicy, terminationGracePeriodSeconds } = template({
    pod: "restartPolicy: Always\n      terminationGracePeriodSeconds: 0",
  });
  assert.deepEqual([restartPolicy, terminationGracePeriodSeconds], ["Always", 0]);
});

test("known fields without effect are told", () => {
  const { notices } = parse({
    pod: "volumes: [{name: a, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]",
    container: `volumeMounts: [{name: a, mountPath: /a, mountPropagation: None}]
        lifecycle: {stopSignal: SIGQUIT}`,
  });
  assert.deepEqual(
    notices.map(({ message }) => message),
    [
      "accepted, without effect here yet: spec.template.spec.volumes[].emptyDir.medium, spec.template.spec.volumes[].emptyDir.sizeLimit, spec.template.spec.containers[].volumeMounts[].mountPropagation, spec.template.spec.containers[].lifecycle.stopSignal",
    ],
  );
});

const volumes: [volume: string, issue: RegExp][] = [
  ["name: a, hostPath: {}", /^9 .*volumes\[0\]\.hostPath\.path: is missing$/],
  ["name: a, hostPath: {path: a}", /hostPath\.path: is not an absolute path$/],
  ["name: a, hostPath: {path: /a/../../b}", /hostPath\.path: must not have "\.\."$/],
  ["name: a, persistentVolumeClaim: {}", /not supported yet: volume type persistentVolumeClaim$/],
  [
    "name: a, projected: {sources: [{downwardAPI: {items: []}}]}",
    /^9 .*projected\.sources\[0\]\.downwardAPI: not supported yet: projected source downwardAPI$/,
  ],
  [
    "name: a, projected: {sources: [{}]}",
    /sources\[0\]: must have exactly one of serviceAccountToken, configMap, secret$/,
  ],
  [
    "name: a, projected: {sources: [{secret: {name: b}, configMap: {name: b}}]}",
    /sources\[0\]: must have exactly one of/,
  ],
  ["name: a, projected: {sources: [{secret: {}}]}", /sources\[0\]\.secret\.name: is missing$/],
  [
    "name: a, projected: {sources: [{serviceAccountToken: {}}]}",
    /serviceAccountToken\.path: is missing$/,
  ],
  [
    "name: a, projected: {sources: [{serviceAccountToken: {path: ../t}}]}",
    /serviceAccountToken\.path: must not have "\.\."$/,
  ],
  [
    "name: a, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 599}}]}",
    /expirationSeconds: is the number 599; expected a whole number from 600 to 4294967296$/,
  ],
  [
    "name: a, projected: {sources: [{serviceAccountToken: {path: t}}, {secret: {name: b, items: [{key: k, path: t}]}}]}",
    /sources\[1\]: gives a file that another source does: "t"$/,
  ],
  ["name: a, projected: {defaultMode: 512}", /projected\.defaultMode: .* from 0 to 511$/],
  ["name: a, csi: {}", /not supported yet: volume type csi$/],
  ["name: a, emptydir: {}", /emptydir: is not a known field; did you mean emptyDir\?$/],
  ["name: a, emptyDir: {size: 1}", /emptyDir\.size: is not a known field$/],
  ["name: a, emptyDir: {}, secret: {secretName: b}", /has several types: secret, emptyDir$/],
  ["emptyDir: {}", /volumes\[0\]\.name: is missing$/],
  ["name: A, emptyDir: {}", /name: "A" is not a DNS label/],
  ["name: a, configMap: {}", /configMap\.name: is missing$/],
  ["name: a, secret: {}", /secret\.secretName: is missing$/],
  ["name: a, configMap: {name: b, defaultMode: 512}", /from 0 to 511$/],
  ["name: a, configMap: {name: b, items: [{path: b}]}", /items\[0\]\.key: is missing$/],
  ["name: a, configMap: {name: b, items: [{key: b}]}", /items\[0\]\.path: is missing$/],
  ["name: a, configMap: {name: b, items: [{key: b, path: ../b}]}", /path: must not have "\.\."$/],
  ["name: a, configMap: {name: b, items: [{key: b, path: b/..}]}", /path: must not have "\.\."$/],
  ["name: a, configMap: {name: b, items: [{key: b, path: /b}]}", /must be a relative path$/],
  ["name: a, configMap: {name: b, optional: 1}", /optional: is the number 1/],
  ["name: a}, {name: a", /volumes\[1\]\.name: "a" is given twice$/],
];
for (const [volume, issue] of volumes) {
  test(`the volume {${volume}} is refused`, () => {
    refuses({ pod: `volumes: [{${volume}}]` }, issue);
  });
}

const ONE_VOLUME = "volumes: [{name: a, emptyDir: {}}]";
const mounts: [mount: string, issue: RegExp][] = [
  ["name: b, mountPath: /a", /^12 .*volumeMounts\[0\]\.name: "b" is not a volume of the pod$/],
  ["name: a", /mountPath: is missing$/],
  ["name: a, mountPath: a", /mountPath: is not an absolute path$/],
  ["name: a, mountPath: /a/../../b", /mountPath: must not have "\.\."$/],
  ["name: a, mountPath: '/a:b'", /mountPath: must not have ":"$/],
  ["name: a, mountPath: /a, subPath: ../b", /subPath: must not have "\.\."$/],
  ["name: a, mountPath: /a, subPath: /b", /subPath: must be a relative path$/],
  ["name: a, mountPath: /a, subPathExpr: $(A)", /not supported yet: subPathExpr$/],
  ["name: a, mountPath: /a}, {name: a, mountPath: /a", /mountPath: "\/a" is given twice$/],
  ["name: a, path: /a, mountPath: /b", /path: is not a known field$/],
];
for (const [mount, issue] of mounts) {
  test(`the mount {${mount}} is refused`, () => {
    refuses({ pod: ONE_VOLUME, container: `volumeMounts: [{${mount}}]` }, issue);
  });
}

const variables: [container: string, issue: RegExp][] = [
  ["env: [{name: A, valueFrom: {}}]", /^12 .*env\[0\]\.valueFrom: must have exactly one of conf/],
  [
    "env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.podIP}, secretKeyRef: {name: a, key: b}}}]",
    /valueFrom: must have exactly one of/,
  ],
  [
    "env: [{name: A, value: b, valueFrom: {configMapKeyRef: {name: a, key: b}}}]",
    /valueFrom: must not be given together with value$/,
  ],
  [
    "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]",
    /not supported yet: resourceFieldRef$/,
  ],
  [
    "env: [{name: A, valueFrom: {configMapKeyRef: {name: a}}}]",
    /configMapKeyRef\.key: is missing$/,
  ],
  ["env: [{name: A, valueFrom: {secretKeyRef: {key: a}}}]", /secretKeyRef\.name: is missing$/],
  [
    "env: [{name: A, valueFrom: {secretKeyref: {name: a, key: b}}}]",
    /must have exactly one of.*\n.*secretKeyref: is not a known field; did you mean secretKeyRef\?$/,
  ],
  [
    "env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}]",
    /fieldPath: not supported yet: status\.hostIP; expected one of metadata\.name, /,
  ],
  [
    "env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['a']\"}}}]",
    /fieldPath: not supported yet: metadata\.labels\['a'\]; expected one of/,
  ],
  [
    "env: [{name: A, valueFrom: {fieldRef: {fieldPath: meta.name}}}]",
    /fieldPath: is "meta\.name"; expected one of/,
  ],
  ["envFrom: [{}]", /envFrom\[0\]: must have exactly one of configMapRef, secretRef$/],
  [
    "envFrom: [{configMapRef: {name: a}, secretRef: {name: a}}]",
    /must have exactly one of configMapRef, secretRef$/,
  ],
  ["envFrom: [{configMapRef: {}}]", /configMapRef\.name: is missing$/],
  ["envFrom: [{prefix: 'a=', secretRef: {name: a}}]", /prefix: "a=" is not the name of a variable/],
];
for (const [text, issue] of variables) {
  test(`the variables ${text} are refused`, () => refuses({ container: text }, issue));
}

const probes: [probe: string, issue: RegExp][] = [
  ["{}", /^12 .*livenessProbe: must have exactly one of httpGet, tcpSocket, grpc, exec$/],
  ["{tcpSocket: {port: 1}, exec: {command: [a]}}", /must have exactly one of/],
  ["{tcpSocket: {port: 1}, grpc: {port: 1}}", /must have exactly one of/],
  ["{grpc: {}}", /grpc\.port: is missing; expected a number$/],
  ["{grpc: {port: http}}", /grpc\.port: is "http"; expected a whole number from 1 to 65535$/],
  ["{grpc: {port: 1, name: a}}", /grpc\.name: is not a known field$/],
  ["{httpGet: {port: 1, scheme: http}}", /scheme: is "http"; expected one of HTTP, HTTPS$/],
  ["{httpGet: {port: 1, host: a}}", /host: not supported yet: host of a probe or hook$/],
  ["{tcpSocket: {port: 1, host: a}}", /host: not supported yet: host of a probe or hook$/],
  ["{httpGet: {path: /}}", /httpGet\.port: is missing; expected a number or a name$/],
  ["{httpGet: {port: 0}}", /port: is the number 0/],
  ["{httpGet: {port: htp}}", /port: "htp" is not a port of the container$/],
  ['{httpGet: {port: 1, path: "/a b"}}', /path: "\/a b" must be printable ASCII without spaces$/],
  ['{httpGet: {port: 1, path: "/a\\r\\nb: c"}}', /must be printable ASCII/],
  [
    '{httpGet: {port: 1, httpHeaders: [{name: "a b", value: c}]}}',
    /"a b" is not the name of a header$/,
  ],
  [
    '{httpGet: {port: 1, httpHeaders: [{name: a, value: "b\\r\\nc: d"}]}}',
    /value: must not have line breaks or NUL$/,
  ],
  ["{exec: {}}", /exec\.command: must have at least one item$/],
  ["{tcpSocket: {port: 1}, successThreshold: 2}", /must be 1 in a livenessProbe$/],
  ["{tcpSocket: {port: 1}, periodSeconds: -1}", /periodSeconds: is the number -1/],
  ["{tcpSocket: {port: 1}, period: 1}", /period: is not a known field$/],
];
for (const [probe, issue] of probes) {
  test(`the probe ${probe} is refused`, () => {
    refuses({ container: `livenessProbe: ${probe}` }, issue);
  });
}

test("hooks of a container", () => {
  const { lifecycle } = container({
    container:
      "lifecycle: {postStart: {httpGet: {port: http, path: up}}, preStop: {exec: {command: [sh, -c, sleep 5]}}}",
  });
  assert.deepEqual(lifecycle, {
    postStart: { kind: "httpGet", scheme: "HTTP", path: "/up", port: 8080, headers: [] },
    preStop: { kind: "exec", command: ["sh", "-c", "sleep 5"] },
  });
});

test("a hook sleeps for no longer than the pod has to end", () => {
  const sleep = (seconds: number): string => `lifecycle: {preStop: {sleep: {seconds: ${seconds}}}}`;
  const pod = "terminationGracePeriodSeconds: 40";
  const { lifecycle } = container({ pod, container: sleep(40) });
  assert.deepEqual(lifecycle?.preStop, { kind: "sleep", seconds: 40 });
  refuses({ pod, container: sleep(41) }, /sleep\.seconds: is the number 41; expected .* 0 to 40$/);
  refuses({ container: sleep(31) }, /expected .* 0 to 30$/);
});

const hooks: [hook: string, issue: RegExp][] = [
  ["{}", /^12 .*lifecycle\.preStop: must have exactly one of exec, httpGet, sleep$/],
  ["{exec: {command: [a]}, sleep: {seconds: 1}}", /must have exactly one of/],
  ["{tcpSocket: {port: 1}}", /tcpSocket: not supported yet: tcpSocket of a hook$/],
  ["{httpGet: {port: 1, host: a}}", /host: not supported yet: host of a probe or hook$/],
  ["{httpGet: {port: htp}}", /port: "htp" is not a port of the container$/],
  ["{exec: {}}", /exec\.command: must have at least one item$/],
  ["{sleep: {}}", /sleep\.seconds: is missing; expected a number$/],
  ["{sleep: {seconds: -1}}", /seconds: is the number -1/],
  ["{grpc: {port: 1}}", /must have exactly one of.*\n.*grpc: is not a known field$/],
];
for (const [hook, issue] of hooks) {
  test(`the hook ${hook} is refused`, () => {
    refuses({ container: `lifecycle: {preStop: ${hook}}` }, issue);
  });
}

/** Exactly one issue, unless the pattern spans more lines. */
function refuses(written: Written, issue: RegExp): void {
  const { issues, resources } = parse(written);
  const found = issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);
  assert.equal(found.length, issue.source.split("\\n.*").length, found.join("\n"));
  assert.match(found.join("\n"), issue);
  assert.deepEqual(resources, []);
}
