import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { ComparisonBudget } from "./comparison-budget.ts";
import { takeInventory } from "./mesh-inventory.ts";
import { meshNotices } from "./mesh-notices.ts";
import { unreachableAllowNotices } from "./network-authorization-notices.ts";
import { takeNetworkInventory } from "./network-inventory.ts";
import { planWorkloads } from "./plan-workloads.ts";

const PORTS = "[{name: web, containerPort: 8080}, {containerPort: 9090}]";
const workload = (
  name: string,
  { namespace = "shop", replicas = 1, ports = PORTS } = {},
): string => `
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ${name}, namespace: ${namespace}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      serviceAccountName: ${name}
      containers: [{name: a, image: x, ports: ${ports}}]
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80, targetPort: web}, {name: admin, port: 9090}]}`;

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: plain}
${workload("web")}
${workload("api", { replicas: 2 })}
${workload("asleep", { replicas: 0 })}
${workload("monitor", { namespace: "ops" })}
${workload("old", { namespace: "plain" })}
`;
const POLICY_LINE = MESH.split("\n").length + 1;

const policy = (spec: string, namespace = "shop"): string => `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: limits, namespace: ${namespace}}
spec: ${spec}
`;
const allow = (rules: string, name = "allow"): string => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: shop}
spec: {selector: {matchLabels: {app: api}}, rules: [${rules}]}
`;

function noticesOn(extra: string): string[] {
  const resources = resourcesOf(MESH + extra);
  const workloads = planWorkloads(resources, {
    place: () => ({ address: "127.0.0.1", port: 1 }),
    uid: (key) => key,
  });
  return meshNotices(resources, workloads).map(({ source, path, message }) => {
    assert.ok(source.line >= POLICY_LINE, `line ${source.line} of a mesh that was in order`);
    return `+${source.line - POLICY_LINE} ${path} ${message}`;
  });
}

const API = "podSelector: {matchLabels: {app: api}}";
const from = (peers: string, ports = ""): string =>
  `{${API}, ingress: [{from: [${peers}]${ports}}]}`;
const APP = (name: string): string => `{podSelector: {matchLabels: {app: ${name}}}}`;
const WEB_MAY = '{from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]}';

test("a mesh in order is given no notice", () => assert.deepEqual(noticesOn(""), []));

const inOrder: [what: string, yaml: string][] = [
  ["selects and admits what there is", policy(from(APP("web"), ", ports: [{port: 8080}]"))],
  ["selects everything", policy("{podSelector: {}}")],
  ["selects everything in a namespace of nobody", policy("{podSelector: {}}", "istio-system")],
  ["selects what does not run now", policy("{podSelector: {matchLabels: {app: asleep}}}")],
  [
    "selects by an expression",
    policy("{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [api]}]}}"),
  ],
  [
    "isolates for egress, and opens no DNS and no control plane, which are always open here",
    policy(`{${API}, policyTypes: [Egress], egress: [{to: [${APP("web")}]}]}`),
  ],
  [
    "opens DNS to a namespace of the cluster's own",
    policy(
      `{${API}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}], ports: [{port: 53, protocol: UDP}]}]}`,
    ),
  ],
  [
    "opens a port that the container has, as the service does",
    policy(from(APP("web"), ", ports: [{port: 9090}]")),
  ],
  ["opens a range of ports", policy(from(APP("web"), ", ports: [{port: 80, endPort: 81}]"))],
  ["opens a port that is nobody's", policy(from(APP("web"), ", ports: [{port: 7000}]"))],
  [
    "lets in pods of the same workload, whom no ALLOW policy admits",
    policy(from(`${APP("api")}, ${APP("web")}`)) + allow(WEB_MAY),
  ],
  ["agrees with an ALLOW policy", policy(from(APP("web"))) + allow(WEB_MAY)],
  [
    "agrees with an ALLOW policy on one port of two",
    policy(from(APP("web"), ", ports: [{port: 9090}]")) + allow(WEB_MAY),
  ],
  [
    "may hold an admitted caller by its address",
    policy(from("{ipBlock: {cidr: 10.0.0.0/8}}")) + allow(WEB_MAY),
  ],
  [
    "admits whom a rule about requests may admit",
    policy(from(APP("web"))) +
      allow("{to: [{operation: {paths: [/open]}}], when: [{key: source.ip, values: [10.0.0.1]}]}"),
  ],
  [
    "admits whom one of two ALLOW policies admits",
    policy(from(APP("web"))) +
      allow(WEB_MAY) +
      allow("{from: [{source: {namespaces: [shop]}}]}", "other"),
  ],
  [
    "admits several, of whom an ALLOW policy admits one",
    policy(from("{namespaceSelector: {}}")) + allow(WEB_MAY),
  ],
  ["opens a port where no ALLOW policy is", policy(from("{namespaceSelector: {}}"))],
];
for (const [what, yaml] of inOrder) {
  test(`no notice of a NetworkPolicy that ${what}`, () => assert.deepEqual(noticesOn(yaml), []));
}

const mistakes: [what: string, yaml: string, notices: readonly string[]][] = [
  [
    "in a namespace that nobody is in",
    policy("{podSelector: {}}", "shpo"),
    [
      '+0 metadata.namespace "shpo" has neither a Namespace nor a workload, so this policy has no effect; did you mean shop?',
    ],
  ],
  [
    "that selects no pod",
    policy("{podSelector: {matchLabels: {app: apii}}}"),
    [
      "+0 spec.podSelector.matchLabels app: apii matches no workload of namespace shop, so this policy has no effect; did you mean app: api?",
    ],
  ],
  [
    "that selects no pod by an expression",
    policy("{podSelector: {matchExpressions: [{key: app, operator: In, values: [u, v]}]}}"),
    [
      "+0 spec.podSelector app In (u, v) matches no workload of namespace shop, so this policy has no effect",
    ],
  ],
  [
    "with a peer that is of another namespace",
    policy(`{podSelector: {}, ingress: [{from: [\n  ${APP("monitor")}]}]}`),
    [
      "+4 spec.ingress[0].from[0].podSelector.matchLabels app: monitor matches no workload of namespace shop, so this entry means nobody; there is such a workload in namespace ops",
    ],
  ],
  [
    "with a namespace misspelt",
    policy(
      `{${API}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: opps}}}]}]}`,
    ),
    [
      '+3 spec.egress[0].to[0].namespaceSelector.matchLabels "opps" is no namespace here, so this entry means nobody; did you mean ops?',
    ],
  ],
  [
    "that opens the service's port instead of the container's",
    policy(`{${API}, ingress: [{ports: [\n  {port: 80}]}]}`),
    [
      "+4 spec.ingress[0].ports[0].port 80 is a port of Service shop/api, and here the container's own port counts, which is web, so this opens nothing; write web",
    ],
  ],
  [
    "that opens a port that only pods of the same labels in another namespace have",
    policy(`{${API}, ingress: [{ports: [{port: 80}]}]}`) +
      workload("api", {
        namespace: "ops",
        ports: "[{name: web, containerPort: 80}, {containerPort: 9090}]",
      }),
    [
      "+3 spec.ingress[0].ports[0].port 80 is a port of Service shop/api, and here the container's own port counts, which is web, so this opens nothing; write web",
    ],
  ],
  [
    "that opens the service's port by its name",
    policy(`{${API}, ingress: [{ports: [{port: http}]}]}`),
    [
      "+3 spec.ingress[0].ports[0].port http is a port of Service shop/api, and here the container's own port counts, which is web, so this opens nothing; write web",
    ],
  ],
  [
    "that lets out to the service's port",
    policy(
      `{${API}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}], ports: [{port: 80}]}]}`,
    ),
    [
      "+3 spec.egress[0].ports[0].port 80 is a port of Service ops/monitor, and here the container's own port counts, which is web, so this opens nothing; write web",
    ],
  ],
  [
    "that keeps away whom an ALLOW policy names",
    policy("{podSelector: {matchLabels: {app: api}}}") + allow(`\n  ${WEB_MAY}`),
    [
      '+9 spec.rules[0].from[0].source.principals[0] "cluster.local/ns/shop/sa/web" is let in here, but NetworkPolicy shop/limits lets none of its pods through to the port, so that this has no effect; let it through there, or leave it out here',
    ],
  ],
  [
    "that keeps in whom an ALLOW policy names",
    policy("{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}") +
      allow("{from: [{source: {serviceAccounts: [web, asleep]}}]}"),
    [
      '+8 spec.rules[0].from[0].source.serviceAccounts[0] "web" is let in here, but NetworkPolicy shop/limits keeps its pods from calling here, so that this has no effect; let it through there, or leave it out here',
    ],
  ],
  [
    "that opens another port than the ALLOW policy",
    policy(from(APP("web"), ", ports: [{port: 9090}]")) +
      allow(
        '{from: [{source: {namespaces: [shop], notPrincipals: ["*/sa/api", "*/sa/asleep"]}}], to: [{operation: {ports: ["8080"]}}]}',
      ),
    [
      "+3 spec.ingress[0].from[0] lets in pods that run as shop/web, whom no ALLOW policy of port 9090 admits: the sidecar there refuses them, which may be meant",
      '+8 spec.rules[0].from[0].source.namespaces[0] "shop" is let in here, but NetworkPolicy shop/limits lets none of its pods through to the port, so that this has no effect; let it through there, or leave it out here',
    ],
  ],
  [
    "that admits whom no ALLOW policy admits",
    policy(
      `{${API}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}},\n  ${APP("web")}]}]}`,
    ) + allow(WEB_MAY),
    [
      "+3 spec.ingress[0].from[0] lets in pods that run as ops/monitor, whom no ALLOW policy of ports 8080, 9090 admits: the sidecar there refuses them, which may be meant",
    ],
  ],
  [
    "that admits whom no ALLOW policy admits, on ports that are told in ascending order",
    policy(
      from("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}").replace(
        "app: api",
        "app: late",
      ),
    ) +
      allow(WEB_MAY).replace("app: api", "app: late") +
      workload("late", { ports: "[{name: web, containerPort: 10000}, {containerPort: 9090}]" }),
    [
      "+3 spec.ingress[0].from[0] lets in pods that run as ops/monitor, whom no ALLOW policy of ports 9090, 10000 admits: the sidecar there refuses them, which may be meant",
      '+8 spec.rules[0].from[0].source.principals[0] "cluster.local/ns/shop/sa/web" is let in here, but NetworkPolicy shop/limits lets none of its pods through to the port, so that this has no effect; let it through there, or leave it out here',
    ],
  ],
  [
    "that admits pods without an identity",
    policy(from("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: plain}}}")) +
      allow('{from: [{source: {principals: ["*"]}}]}'),
    [
      "+3 spec.ingress[0].from[0] lets in pods that run as plain/old, whom no ALLOW policy of ports 8080, 9090 admits: the sidecar there refuses them, which may be meant",
    ],
  ],
];
for (const [what, yaml, expected] of mistakes) {
  test(`a NetworkPolicy ${what}`, () => assert.deepEqual(noticesOn(yaml), expected));
}

const NEVER = policy("{podSelector: {matchLabels: {app: api}}}");
const MANY_RULES = policy(
  `{${API}, ingress: [${Array(200)
    .fill(`{from: [${APP("asleep")}], ports: [{port: 1}]}`)
    .join()}]}`,
);
const LONG_RULE = WEB_MAY.replace(
  /\}$/,
  `, to: [${Array(100).fill("{operation: {methods: [GET]}}").join()}]}`,
);
type Budgeted = [what: string, yaml: string, comparisons: number, told: number];
const budgets: Budgeted[] = [
  ["enough for one short rule", NEVER + allow(WEB_MAY), 500, 1],
  ["not enough to make a long rule ready", NEVER + allow(LONG_RULE), 500, 0],
  ["enough for a long rule", NEVER + allow(LONG_RULE), 10_000, 1],
  ["not enough for many entries of a NetworkPolicy", MANY_RULES + allow(WEB_MAY), 500, 0],
  ["enough for many entries", MANY_RULES + allow(WEB_MAY), 10_000, 1],
];
for (const [what, yaml, comparisons, told] of budgets) {
  test(`contradictions are looked for while the budget lasts: ${what}`, () => {
    const resources = resourcesOf(MESH + yaml);
    const workloads = planWorkloads(resources, {
      place: () => ({ address: "127.0.0.1", port: 1 }),
      uid: (key) => key,
    });
    const inventory = takeNetworkInventory(resources, takeInventory(resources, workloads));
    const [written] = inventory.allowPolicies;
    assert.ok(written);
    const budget = new ComparisonBudget(comparisons);
    assert.equal(unreachableAllowNotices(written, inventory, budget).length, told);
    assert.equal(budget.isSpent, told === 0);
  });
}
