import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_INTERCEPTION } from "./interception-settings.ts";
import { parseResources } from "./parse-resources.ts";
import type { DeploymentStrategy } from "./rollout-strategy.ts";

interface Written {
  readonly spec?: string;
  readonly pod?: string;
  readonly container?: string;
}

/** Line 1 is apiVersion; the spec's own fields are at line 5, the pod's at 10, the container's at 13. */
const deploymentText = ({
  spec = "replicas: 1",
  pod = "hostNetwork: false",
  container = "image: i",
}: Written): string =>
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  ${spec}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api, version: v1}, annotations: {a.example/b: c}}
    spec:
      ${pod}
      containers:
      - name: main
        ${container}
`;
const parse = (written: Written) => parseResources(deploymentText(written), "mesh.yaml");
const issues = (written: Written): string[] =>
  parse(written).issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);

function deployment(written: Written) {
  const { resources, issues: found } = parse(written);
  assert.deepEqual(found, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "Deployment");
  return resource;
}

test("defaults", () => {
  const { replicas, template } = deployment({ spec: "paused: null" });
  assert.equal(replicas, 1);
  assert.deepEqual(template, {
    labels: { app: "api", version: "v1" },
    annotations: { "a.example/b": "c" },
    serviceAccountName: "default",
    automountToken: "unset",
    interception: DEFAULT_INTERCEPTION,
    probeRewriting: "on",
    hostNetwork: false,
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    volumes: [],
    containers: [
      {
        name: "main",
        image: "i",
        command: [],
        args: [],
        env: [],
        envFrom: [],
        ports: [],
        volumeMounts: [],
        source: { file: "mesh.yaml", line: 12 },
      },
    ],
  });
});

test("all that is used", () => {
  const { replicas, template } = deployment({
    spec: "replicas: 3",
    pod: "serviceAccountName: api\n      hostNetwork: true",
    container: `command: [node, server.js]
        args: ["--port", "8080"]
        workingDir: /srv
        env: [{name: PORT, value: "8080"}, {name: EMPTY}]
        ports: [{name: http, containerPort: 8080, protocol: TCP}, {containerPort: 9090}]
      - {name: second, command: [sleep, "1"]}`,
  });
  assert.equal(replicas, 3);
  assert.equal(template.serviceAccountName, "api");
  assert.equal(template.hostNetwork, true);
  const [main, second] = template.containers;
  assert.deepEqual(main, {
    name: "main",
    image: "",
    command: ["node", "server.js"],
    args: ["--port", "8080"],
    workingDir: "/srv",
    env: [
      { name: "PORT", value: "8080" },
      { name: "EMPTY", value: "" },
    ],
    envFrom: [],
    ports: [
      { name: "http", containerPort: 8080 },
      { name: "", containerPort: 9090 },
    ],
    volumeMounts: [],
    source: { file: "mesh.yaml", line: 13 },
  });
  assert.equal(second?.source.line, 19);
});

test("the old name of serviceAccountName", () => {
  const { template } = deployment({ pod: "serviceAccount: old" });
  assert.equal(template.serviceAccountName, "old");
});

test("matchExpressions that hold", () => {
  const text = deploymentText({}).replace(
    "matchLabels: {app: api}",
    "matchExpressions: [{key: app, operator: In, values: [api]}, {key: x, operator: DoesNotExist}, {key: app, operator: Exists}, {key: app, operator: NotIn, values: [other]}]",
  );
  assert.deepEqual(parseResources(text, "f").issues, []);
});

const invalid: [name: string, written: Written, issue: RegExp][] = [
  [
    "replicas",
    { spec: "replicas: 101" },
    /^5 spec\.replicas: is the number 101; expected a whole number from 0 to 100$/,
  ],
  ["replicas", { spec: "replicas: 1.5" }, /^5 spec\.replicas: is the number 1\.5/],
  [
    "unknown field",
    { spec: "replica: 1" },
    /^5 spec\.replica: is not a known field; did you mean replicas\?$/,
  ],
  [
    "unknown field of the pod",
    { pod: "hostnetwork: true" },
    /^10 spec\.template\.spec\.hostnetwork: .*did you mean hostNetwork\?$/,
  ],
  [
    "unknown field of a container",
    { container: "command: [a]\n        enviroment: []" },
    /^14 spec\.template\.spec\.containers\[0\]\.enviroment: is not a known field$/,
  ],
  [
    "initContainers",
    { pod: "initContainers: [{name: a}]" },
    /^10 spec\.template\.spec\.initContainers: not supported yet: initContainers$/,
  ],
  [
    "two service accounts",
    { pod: "serviceAccountName: a\n      serviceAccount: b" },
    /^11 .*serviceAccount: differs from serviceAccountName, which is "a"$/,
  ],
  [
    "service account",
    { pod: "serviceAccountName: A" },
    /serviceAccountName: "A" is not a DNS subdomain/,
  ],
  [
    "hostNetwork",
    { pod: "hostNetwork: 'true'" },
    /hostNetwork: is "true"; expected true or false$/,
  ],
  [
    "restartPolicy",
    { pod: "restartPolicy: Never" },
    /^10 .*restartPolicy: is "Never"; expected one of Always$/,
  ],
  [
    "number as variable",
    { container: "command: [a]\n        env: [{name: A, value: 8080}]" },
    /env\[0\]\.value: is the number 8080; expected text: write "8080"$/,
  ],
  [
    "yes as variable",
    { container: "command: [a]\n        env: [{name: A, value: yes}]" },
    /env\[0\]\.value: is the boolean yes; expected text: write "yes"$/,
  ],
  [
    "variable name",
    { container: "command: [a]\n        env: [{name: 'A=B', value: x}]" },
    /env\[0\]\.name: "A=B" is not the name of a variable/,
  ],
  [
    "number as argument",
    { container: "command: [a]\n        args:\n        - --port\n        - 8080" },
    /^16 .*args\[1\]: is the number 8080/,
  ],
  [
    "command as text",
    { container: "command: node server.js" },
    /command: is "node server\.js"; expected a list$/,
  ],
  [
    "UDP",
    { container: "command: [a]\n        ports: [{containerPort: 53, protocol: UDP}]" },
    /ports\[0\]\.protocol: not supported yet: UDP; only TCP is$/,
  ],
  [
    "port 0",
    { container: "command: [a]\n        ports: [{containerPort: 0}]" },
    /containerPort: is the number 0/,
  ],
  [
    "port missing",
    { container: "command: [a]\n        ports: [{name: http}]" },
    /containerPort: is missing/,
  ],
  [
    "port name",
    { container: "command: [a]\n        ports: [{name: much-too-long-a-name, containerPort: 1}]" },
    /is not a port name/,
  ],
  [
    "port name twice in the pod",
    {
      container:
        "image: a\n        ports: [{name: a, containerPort: 1}]\n      - {name: b, image: b, ports: [{name: a, containerPort: 2}]}",
    },
    /^15 .*containers\[1\]\.ports\[0\]\.name: "a" is given twice$/,
  ],
  [
    "port twice in the pod",
    {
      container:
        "image: a\n        ports: [{containerPort: 1}]\n      - {name: b, image: b, ports: [{containerPort: 1}]}",
    },
    /containers\[1\]\.ports\[0\]\.containerPort: "1" is given twice$/,
  ],
  [
    "container name twice",
    { container: "image: a\n      - {name: main, image: b}" },
    /^14 .*containers\[1\]\.name: "main" is given twice$/,
  ],
  [
    "nothing to run",
    { container: "args: [a]" },
    /^12 .*containers\[0\]: needs an image or a command$/,
  ],
];
for (const [name, written, issue] of invalid) {
  test(`${name}: ${JSON.stringify(written)} is refused`, () => {
    const found = issues(written);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.deepEqual(parse(written).resources, []);
  });
}

const mismatches: [selector: string, issue: RegExp][] = [
  [
    "{matchLabels: {app: other}}",
    /^6 spec\.selector\.matchLabels\.app: does not match the labels of the template/,
  ],
  ["{matchLabels: {x: other}}", /^6 spec\.selector\.matchLabels\.x: does not match/],
  [
    "{matchExpressions: [{key: x, operator: Exists}]}",
    /^6 spec\.selector\.matchExpressions\[0\]: does not match/,
  ],
  ["{}", /^6 spec\.selector: must select the labels of the template$/],
];
for (const [selector, issue] of mismatches) {
  test(`selector ${selector} is refused`, () => {
    const text = deploymentText({}).replace("{matchLabels: {app: api}}", selector);
    const found = parseResources(text, "f").issues.map(
      ({ source, path, problem }) => `${source.line} ${path}: ${problem}`,
    );
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
  });
}

test("no containers", () => {
  const text = deploymentText({}).replace(/containers:.*/s, "containers: []\n");
  const [issue] = parseResources(text, "f").issues;
  assert.equal(issue?.path, "spec.template.spec.containers");
});

test("known fields without effect are told once for the document, not read", () => {
  const { notices } = parse({
    spec: "paused: true\n  progressDeadlineSeconds: 60",
    pod: "tolerations: [{whatever: 1}]",
    container:
      "image: a\n        resources: {limits: {cpu: 1}}\n      - {name: b, image: b, resources: {}}",
  });
  assert.deepEqual(notices, [
    {
      source: { file: "mesh.yaml", line: 1 },
      path: "",
      message:
        "accepted, without effect here yet: spec.template.spec.tolerations, spec.template.spec.containers[].resources, spec.paused",
    },
  ]);
});

const beside = (surge: number): DeploymentStrategy => ({ kind: "beside", surge });
const inPlace = (atOnce: number): DeploymentStrategy => ({ kind: "in place", atOnce });
const STRATEGIES: readonly (readonly [spec: string, strategy: DeploymentStrategy])[] = [
  ["replicas: 1", beside(1)],
  ["replicas: 8", beside(2)],
  ["replicas: 9", beside(3)],
  ["replicas: 4, strategy: {rollingUpdate: {maxSurge: 50%, maxUnavailable: 0}}", beside(2)],
  ["replicas: 4, strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 3}}", beside(3)],
  ["replicas: 4, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}", inPlace(1)],
  ["replicas: 9, strategy: {rollingUpdate: {maxSurge: 0%}}", inPlace(2)],
  ["replicas: 3, strategy: {rollingUpdate: {maxSurge: 0}}", inPlace(1)],
  ["replicas: 4, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 100%}}", inPlace(4)],
  ["replicas: 4, strategy: {type: Recreate}", { kind: "all at once" }],
];
for (const [spec, expected] of STRATEGIES) {
  test(`how pods are replaced, of {${spec}}: ${JSON.stringify(expected)}`, () => {
    const lines = spec.replaceAll(/, (?=strategy)/g, "\n  ");
    assert.deepEqual(deployment({ spec: lines }).strategy, expected);
  });
}

test("how long a new pod has to be ready", () => {
  assert.equal(deployment({ spec: "minReadySeconds: 7" }).minReadySeconds, 7);
  assert.equal(deployment({}).minReadySeconds, 0);
  assert.match(issues({ spec: "minReadySeconds: -1" })[0] ?? "", /minReadySeconds: is the number/);
});

for (const [strategy, problem] of [
  ["{type: Rolling}", /strategy\.type is the text "Rolling"|strategy\.type is "Rolling"/],
  ["{rollingUpdate: {maxSurge: many}}", /maxSurge is "many"/],
  ["{rollingUpdate: {maxUnavailable: -1}}", /maxUnavailable is "-1"/],
  [
    "{rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}",
    /maxUnavailable may not be 0 when maxSurge is 0/,
  ],
  [
    "{type: Recreate, rollingUpdate: {maxSurge: 1}}",
    /rollingUpdate may not be given when type is "Recreate"/,
  ],
  ["{whatever: 1}", /strategy\.whatever/],
] as const) {
  test(`refused: strategy: ${strategy}`, () => {
    const { issues } = parseResources(deploymentText({ spec: `strategy: ${strategy}` }), "f");
    assert.match(issues.map((issue) => `${issue.path} ${issue.problem}`).join(), problem);
  });
}
