import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf, snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { formatRef, type Notice } from "../api/resource.ts";
import { type Concern, concerningNotices } from "./concerning-notices.ts";

const deployment = (name: string, namespace = "shop"): string => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
`;
const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
${deployment("cart")}${deployment("web")}${deployment("bank", "money")}---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 80, targetPort: 8080}]}
`;
const CHECKED_LINES = MESH.split("\n").length;

const security = (kind: string, namespace: string, spec: string): string => `---
apiVersion: security.istio.io/v1
kind: ${kind}
metadata: {name: x, namespace: ${namespace}}
spec: {${spec}}
`;
const selecting = (app: string): string => `selector: {matchLabels: {app: ${app}}}`;
const destination = (namespace: string, host: string, rest = ""): string => `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: x, namespace: ${namespace}}
spec: {host: ${host}, ${rest}trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}
`;
const network = (namespace: string, app: string, direction: string): string => `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: x, namespace: ${namespace}}
spec: {podSelector: {matchLabels: {app: ${app}}}, policyTypes: [${direction}]}
`;
const TOKENS = `jwtRules: [{issuer: i, jwksUri: "https://x/y"}]`;

/** web calls cart, and there is a notice on the one resource that is added. */
function isTold(yaml: string, about?: Concern): boolean {
  return concerning(yaml, about).length > 0;
}

function concerning(yaml: string, about?: Concern): readonly Notice[] {
  const snapshot = snapshotOf(MESH + yaml);
  const resources = resourcesOf(MESH + yaml);
  const notices = resources
    .filter(({ meta }) => meta.source.line >= CHECKED_LINES)
    .map(({ kind, meta }) => ({
      source: { file: meta.source.file, line: meta.source.line + 1 },
      path: "",
      message: formatRef({ kind, ...meta }),
    }));
  assert.ok(notices.length > 0);
  const concern = about ?? {
    callee: workloadNamed(snapshot, "shop/cart-0"),
    caller: workloadNamed(snapshot, "shop/web-0"),
    via: { serviceNamespace: "shop", serviceName: "cart" },
    namespaces: ["shop"],
  };
  return concerningNotices(notices, { resources, snapshot, concern });
}

const told: [what: string, yaml: string][] = [
  [
    "AP-12 a policy that selects the callee",
    security("AuthorizationPolicy", "shop", selecting("cart")),
  ],
  [
    "AP-10 a policy of the callee's namespace",
    security("AuthorizationPolicy", "shop", "rules: []"),
  ],
  [
    "AP-11 a policy of the root namespace",
    security("AuthorizationPolicy", "istio-system", selecting("cart")),
  ],
  [
    "AP-12 a policy of the namespace that selects nobody",
    security("AuthorizationPolicy", "shop", selecting("crat")),
  ],
  [
    "AP-10 a policy of a namespace where nobody is",
    security("AuthorizationPolicy", "shpo", selecting("cart")),
  ],
  [
    "JWT-2 tokens of the callee",
    security("RequestAuthentication", "shop", `${selecting("cart")}, ${TOKENS}`),
  ],
  [
    "PA-2 the mode of the mesh",
    security("PeerAuthentication", "istio-system", "mtls: {mode: STRICT}"),
  ],
  [
    "PA-4 a mode of the root namespace that binds nobody",
    security("PeerAuthentication", "istio-system", `${selecting("web")}, mtls: {mode: STRICT}`),
  ],
  ["TLS-41 a rule of the caller's namespace for the service", destination("shop", "cart")],
  ["TLS-41 a rule for many hosts", destination("istio-system", '"*.local"')],
  [
    "TLS-41 a rule for the caller",
    destination("shop", "cart", "workloadSelector: {matchLabels: {app: web}}, "),
  ],
  [
    "TLS-41 a rule for nobody",
    destination(
      "shop",
      "bank.money.svc.cluster.local",
      "workloadSelector: {matchLabels: {app: wbe}}, ",
    ),
  ],
  ["a NetworkPolicy of the callee", network("shop", "cart", "Ingress")],
  ["a NetworkPolicy of the caller", network("shop", "web", "Egress")],
  ["a NetworkPolicy of nobody", network("shop", "wbe", "Egress")],
  [
    "a Service of nobody in the namespace",
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: x, namespace: shop}\nspec: {selector: {app: crat}, ports: [{port: 1}]}\n",
  ],
  [
    "what has no effect here, in the namespace",
    "---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: x, namespace: shop}\nspec: {}\n",
  ],
  ["the mesh configuration", "---\nrootNamespace: istio-system\n"],
];
for (const [what, yaml] of told) test(`told: ${what}`, () => assert.equal(isTold(yaml), true));

const untold: [what: string, yaml: string][] = [
  [
    "AP-12 a policy for another workload of the namespace",
    security("AuthorizationPolicy", "shop", selecting("web")),
  ],
  ["AP-10 a policy of another namespace", security("AuthorizationPolicy", "money", "rules: []")],
  [
    "AP-12 a policy of another namespace that selects nobody",
    security("AuthorizationPolicy", "money", selecting("cart")),
  ],
  [
    "PA-2 the mode of another namespace",
    security("PeerAuthentication", "money", "mtls: {mode: STRICT}"),
  ],
  [
    "JWT-2 tokens of another workload",
    security("RequestAuthentication", "shop", `${selecting("web")}, ${TOKENS}`),
  ],
  ["TLS-41 a rule for another service", destination("shop", "bank.money.svc.cluster.local")],
  [
    "TLS-41 a rule for another client",
    destination("shop", "cart", "workloadSelector: {matchLabels: {app: cart}}, "),
  ],
  ["a NetworkPolicy for what the callee calls", network("shop", "cart", "Egress")],
  ["a NetworkPolicy of another namespace", network("money", "bank", "Ingress")],
  [
    "a Service of nobody elsewhere",
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: x, namespace: money}\nspec: {selector: {app: crat}, ports: [{port: 1}]}\n",
  ],
  ["another Deployment", deployment("other")],
  ["another Namespace", "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: money}\n"],
  ["a Secret", "---\napiVersion: v1\nkind: Secret\nmetadata: {name: x, namespace: shop}\n"],
  [
    "what has no effect here, elsewhere",
    "---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: x, namespace: money}\nspec: {}\n",
  ],
];
for (const [what, yaml] of untold) {
  test(`not told: ${what}`, () => assert.equal(isTold(yaml), false));
}

test("policies in play come first, then those that bind nobody, then what stands beside", () => {
  const yaml = [
    "---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: x, namespace: shop}\nspec: {}\n",
    security("AuthorizationPolicy", "nowhere", selecting("cart")),
    security("AuthorizationPolicy", "shop", selecting("cart")),
  ].join("");
  assert.deepEqual(
    concerning(yaml).map(({ message }) => message),
    ["AuthorizationPolicy shop/x", "AuthorizationPolicy nowhere/x", "Telemetry shop/x"],
  );
});

test("PA-2 the mode of the mesh is in play for everybody", () => {
  const yaml =
    security("AuthorizationPolicy", "nowhere", selecting("cart")) +
    security("PeerAuthentication", "istio-system", "mtls: {mode: STRICT}");
  assert.deepEqual(
    concerning(yaml).map(({ message }) => message),
    ["PeerAuthentication istio-system/x", "AuthorizationPolicy nowhere/x"],
  );
});

test("told: the Namespace of one of both", () => {
  const yaml = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: money}\n";
  assert.equal(isTold(yaml, { namespaces: ["shop", "money"] }), true);
});

test("where neither end is known, what is out of order in their namespaces is told", () => {
  const about: Concern = { namespaces: ["shop"] };
  assert.equal(isTold(security("AuthorizationPolicy", "shop", selecting("crat")), about), true);
  assert.equal(isTold(security("AuthorizationPolicy", "shop", selecting("cart")), about), false);
});

const ofBank = destination("shop", "bank.money.svc.cluster.local");
const unnamed: [what: string, yaml: string, isTold: boolean][] = [
  ["TLS-41 a rule for a service in front of the callee", destination("shop", "cart"), true],
  ["TLS-41 a rule for another service", ofBank, false],
  ["a NetworkPolicy of the callee", network("shop", "cart", "Ingress"), true],
  ["a NetworkPolicy of somebody else", network("shop", "web", "Egress"), false],
];
for (const [what, yaml, expected] of unnamed) {
  test(`where neither caller nor service is named, ${expected ? "told" : "not told"}: ${what}`, () => {
    const callee = workloadNamed(snapshotOf(MESH), "shop/cart-0");
    assert.equal(isTold(yaml, { callee, namespaces: ["shop"] }), expected);
  });
}

const owners: [kind: string, yaml: string][] = [
  ["Deployment", deployment("own")],
  ["StatefulSet", deployment("own").replace("kind: Deployment", "kind: StatefulSet")],
  [
    "Job",
    "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: own, namespace: shop}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}}\n",
  ],
];
for (const [kind, yaml] of owners) {
  test(`told: the ${kind} that the caller, or the callee, is made from`, () => {
    const pod = snapshotOf(MESH + yaml).workloads.find(({ owner }) => owner === "own");
    assert.ok(pod);
    assert.equal(isTold(yaml, { caller: pod, namespaces: [] }), true);
    assert.equal(isTold(yaml, { callee: pod, namespaces: [] }), true);
    assert.equal(isTold(yaml, { namespaces: ["shop"] }), false);
  });
}

test("where the callee is not known, no rule is one for it", () => {
  assert.equal(isTold(destination("shop", "cart"), { namespaces: ["shop"] }), false);
  assert.equal(isTold(network("shop", "cart", "Ingress"), { namespaces: ["shop"] }), false);
});
