/** The description as data, as `describe --json` gives it to programs; its words are in `test/goldens/describe`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { describeWorkload, type WorkloadDescription } from "./describe-workload.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec:
  selector: {app: cart}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 9090}]
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: shop}
spec: {selector: {app: other}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      containers:
      - {name: a, image: x, ports: [{containerPort: 8080}, {containerPort: 9090}]}
`;

const policy = (name: string, spec: string): string => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: shop}
spec: {${spec}}
`;

function described(yaml = ""): WorkloadDescription {
  const snapshot = snapshotOf(MESH + yaml);
  return describeWorkload(snapshot, workloadNamed(snapshot, "shop/cart-0"));
}

test("ports with what leads to them, and how they are judged (AP-60)", () => {
  assert.deepEqual(
    described().ports.map(({ containerPort, services, judgedAs }) => [
      containerPort,
      services,
      judgedAs,
    ]),
    [
      [8080, [{ serviceNamespace: "shop", serviceName: "cart", servicePort: 80 }], ["http"]],
      [9090, [{ serviceNamespace: "shop", serviceName: "cart", servicePort: 9090 }], ["tcp"]],
    ],
  );
});

const GET = "{to: [{operation: {methods: [GET]}}]}";
const PORT = "{to: [{operation: {ports: ['9090']}}]}";
const METHODS = ["methods"];
const http = { containerPort: 8080, judgedAs: "http", effect: "as-written", httpFields: [] };
const tcp = { containerPort: 9090, judgedAs: "tcp" };

const effects: [id: string, spec: string, onPorts: readonly object[]][] = [
  [
    "AP-61 an ALLOW rule with HTTP conditions",
    `rules: [${GET}]`,
    [http, { ...tcp, effect: "never", httpFields: METHODS }],
  ],
  [
    "AP-62 a DENY rule with HTTP conditions",
    `action: DENY, rules: [${GET}]`,
    [http, { ...tcp, effect: "widened", httpFields: METHODS, sentence: "Denies always." }],
  ],
  [
    "AP-56 a rule of one port",
    `rules: [${PORT}]`,
    [
      { ...http, effect: "other-port" },
      { ...tcp, effect: "as-written", httpFields: [] },
    ],
  ],
];
for (const [id, spec, onPorts] of effects) {
  test(`what becomes of a rule on each port: ${id}`, () => {
    assert.deepEqual(described(policy("p", spec)).policies[0]?.rules[0]?.onPorts, onPorts);
  });
}

const outcomes: [what: string, spec: string, otherwise: string, matchesNothing?: true][] = [
  ["AP-1 an ALLOW policy", `rules: [${GET}]`, "denied"],
  ["AP-1 a DENY policy", `action: DENY, rules: [${GET}]`, "allowed"],
  ["AP-1 an AUDIT policy", `action: AUDIT, rules: [${GET}]`, "allowed"],
  ["AP-20 an ALLOW policy without rules", "action: ALLOW", "denied"],
  [
    "AP-56 a port that is not there",
    "rules: [{to: [{operation: {ports: ['1']}}]}]",
    "denied",
    true,
  ],
];
for (const [what, spec, otherwise, matchesNothing] of outcomes) {
  test(`${what}: what no rule matches is ${otherwise}`, () => {
    const description = described(policy("p", spec));
    assert.equal(description.otherwise, otherwise);
    assert.equal(description.policies[0]?.matchesNothing, matchesNothing);
  });
}

test("AP-110 an ALLOW policy on trial denies nothing, and is marked", () => {
  const trial = policy("p", `rules: [${GET}]`).replace(
    "namespace: shop",
    'namespace: shop, annotations: {"istio.io/dry-run": "true"}',
  );
  const { otherwise, policies } = described(trial);
  assert.deepEqual([otherwise, policies[0]?.dryRun], ["allowed", true]);
});

test("AP-1, AP-35 policies come in the order in which they are asked", () => {
  const yaml =
    policy("c", `rules: [${GET}]`) +
    policy("b", `rules: [${GET}]`) +
    policy("z", `action: DENY, rules: [${GET}]`) +
    policy("a", `action: AUDIT, rules: [${GET}]`);
  assert.deepEqual(
    described(yaml).policies.map(({ ref }) => ref.name),
    ["z", "b", "c", "a"],
  );
});

test("PA-17 modes of ports that no container declares stand apart", () => {
  const yaml = `---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: cart, namespace: shop}
spec: {selector: {matchLabels: {app: cart}}, portLevelMtls: {8080: {mode: STRICT}, 7070: {mode: DISABLE}}}
`;
  const { ports, undeclaredPorts } = described(yaml);
  assert.deepEqual(
    [...ports, ...undeclaredPorts].map(({ containerPort, mutualTls }) => [
      containerPort,
      mutualTls.mode,
    ]),
    [
      [8080, "STRICT"],
      [9090, "PERMISSIVE"],
      [7070, "DISABLE"],
    ],
  );
});

test("its own calls, where a DestinationRule says how; ports for which it says the same go together", () => {
  const rule = (name: string, host: string, policy: string): string => `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}, namespace: shop}
spec: {host: "${host}", trafficPolicy: {${policy}}}
`;
  const turns = "loadBalancer: {simple: ROUND_ROBIN}";
  const port = "portLevelSettings: [{port: {number: 9090}, loadBalancer: {simple: RANDOM}}]";
  const calls = (yaml: string) =>
    described(yaml).calls.map(({ to, origin, sentences }) => [
      to.map(({ host, servicePort }) => `${host.split(".", 1)}:${servicePort}`).join(" "),
      origin.ref.name,
      ...sentences,
    ]);
  assert.deepEqual(calls(""), []);
  assert.deepEqual(calls(rule("tls", "cart", "tls: {mode: ISTIO_MUTUAL}")), []);
  assert.deepEqual(calls(rule("all", "*.local", `${turns}, ${port}`)), [
    ["cart:80 other:80", "all", "each endpoint in turn"],
    ["cart:9090", "all", "any endpoint, by chance"],
  ]);
});
