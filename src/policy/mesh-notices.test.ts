import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import { parseResources } from "../api/parse-resources.ts";
import { formatRef, type Resource } from "../api/resource.ts";
import { meshNotices } from "./mesh-notices.ts";
import { planWorkloads } from "./plan-workloads.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: empty, labels: {istio-injection: disabled}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: cart, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: frontend, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: spare, namespace: shop}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec:
  selector: {app: cart}
  ports:
  - {name: http, port: 80, targetPort: web}
  - {name: tcp-admin, port: 90, targetPort: 9090}
---
apiVersion: v1
kind: Service
metadata: {name: chosen-by-hand, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: frontend, namespace: shop}
spec: {selector: {app: frontend}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart, version: v1}}
    spec:
      serviceAccountName: cart
      containers:
      - {name: a, image: x, ports: [{name: web, containerPort: 8080}]}
      - {name: b, image: x, ports: [{name: admin, containerPort: 9090}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend, namespace: shop}
spec:
  selector: {matchLabels: {app: frontend}}
  template:
    metadata: {labels: {app: frontend, version: v2}}
    spec: {serviceAccountName: frontend, containers: [{name: a, image: x}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: asleep, namespace: shop}
spec:
  replicas: 0
  selector: {matchLabels: {app: asleep}}
  template:
    metadata: {labels: {app: asleep}}
    spec: {serviceAccountName: spare, containers: [{name: a, image: x}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec:
  template:
    metadata: {labels: {app: migrate}}
    spec: {restartPolicy: Never, containers: [{name: a, image: x}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: old, namespace: legacy}
spec:
  selector: {matchLabels: {app: old}}
  template:
    metadata: {labels: {app: old}}
    spec: {containers: [{name: a, image: x}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: cart, namespace: shop}
spec: {selector: {matchLabels: {app: cart}}, mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: empty, namespace: empty}
spec: {}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: everywhere, namespace: istio-system}
spec:
  selector: {matchLabels: {app: old}}
  action: DENY
  rules: [{from: [{source: {serviceAccounts: [gateway]}}]}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: plain, namespace: shop}
spec:
  host: old.legacy.svc.cluster.local
  workloadSelector: {matchLabels: {app: asleep}}
  trafficPolicy: {tls: {mode: DISABLE}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart, version: v1}}
  rules:
  - from:
    - source: {principals: ["cluster.local/ns/shop/sa/frontend", "cluster.local/ns/shop/sa/default"]}
    to:
    - operation: {paths: ["/cart/*", "*.css", "*", "/cart/{*}/lines", "/a/{**}"]}
    when:
    - {key: "request.headers[x-shape]", values: ["a*b"]}
  - from:
    - source: {namespaces: [shop], notPrincipals: ["other.mesh/ns/shop/sa/nobody", "*/sa/guest", "a/b"]}
    - source: {serviceAccounts: [spare, shop/cart], notRemoteIpBlocks: [10.0.0.0/8]}
  - from:
    - source: {namespaces: ["istio-system", "sh*"], principals: ["cluster.local/ns/istio-system/sa/gateway"]}
`;

function noticesOn(resources: readonly Resource[]): string[] {
  const workloads = planWorkloads(resources, {
    place: () => ({ address: "127.0.0.1", port: 1 }),
    uid: (key) => key,
  });
  const places = placesIn(resources);
  return meshNotices(resources, workloads).map(
    ({ source, path, message }) => `${places.get(source.line)}: ${path} ${message}`,
  );
}

/** What begins on a line: a resource, or a rule of one. */
function placesIn(resources: readonly Resource[]): ReadonlyMap<number, string> {
  return new Map(
    resources.flatMap((resource) => {
      const { kind, meta } = resource;
      const name = formatRef({ kind, ...meta });
      const rules = kind === "AuthorizationPolicy" ? resource.rules : [];
      return [
        [meta.source.line, name] as const,
        ...rules.map(({ line }, index) => [line, `${name} rules[${index}]`] as const),
      ];
    }),
  );
}

test("a mesh in order is given no notice", () => {
  assert.deepEqual(noticesOn(resourcesOf(MESH)), []);
});

for (const folder of ["examples/first-verdict", "examples/production"]) {
  test(`${folder} is given no notice`, () => {
    const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
    assert.ok(files.length >= 3);
    const resources = files.flatMap((name) =>
      resourcesOf(readFileSync(`${folder}/${name}`, "utf8"), name),
    );
    assert.deepEqual(noticesOn(resources), []);
  });
}

/** Each mistake alone, and all that is told of it, at the line of the resource or rule it is in. */
const mistakes: [what: string, right: string, wrong: string, notices: readonly string[]][] = [
  [
    "AP-10 a policy in a namespace that nobody is in",
    "{name: cart, namespace: shop}\nspec:\n  selector: {matchLabels: {app: cart, version: v1}}",
    "{name: cart, namespace: shpo}\nspec:\n  selector: {matchLabels: {app: cart, version: v1}}",
    [
      'AuthorizationPolicy shpo/cart: metadata.namespace "shpo" has neither a Namespace nor a workload, so this policy has no effect; did you mean shop?',
    ],
  ],
  [
    "PA-2 a policy whose namespace was forgotten",
    "metadata: {name: cart, namespace: shop}\nspec: {selector: {matchLabels: {app: cart}}, mtls",
    "metadata: {name: cart}\nspec: {selector: {matchLabels: {app: cart}}, mtls",
    [
      'PeerAuthentication default/cart: metadata.namespace "default" has neither a Namespace nor a workload, so this policy has no effect; write metadata.namespace, one of: empty, istio-system, legacy, shop',
    ],
  ],
  [
    "TLS-41 a rule in a namespace far from any other",
    "{name: plain, namespace: shop}",
    "{name: plain, namespace: warehouse}",
    [
      'DestinationRule warehouse/plain: metadata.namespace "warehouse" has neither a Namespace nor a workload, so this rule has no effect; the namespaces here: empty, istio-system, legacy, shop',
    ],
  ],
  [
    "AP-12 a selector with a misspelt value",
    "selector: {matchLabels: {app: cart, version: v1}}",
    "selector: {matchLabels: {app: crat, version: v1}}",
    [
      "AuthorizationPolicy shop/cart: spec.selector.matchLabels app: crat, version: v1 matches no workload of namespace shop, so this policy has no effect; did you mean app: cart?",
    ],
  ],
  [
    "AP-12 a selector with a misspelt key",
    "selector: {matchLabels: {app: cart, version: v1}}",
    "selector: {matchLabels: {ap: cart}}",
    [
      "AuthorizationPolicy shop/cart: spec.selector.matchLabels ap: cart matches no workload of namespace shop, so this policy has no effect; did you mean app: cart?",
    ],
  ],
  [
    "AP-12 a selector with a misspelt key, and a value that no workload has there",
    "selector: {matchLabels: {app: cart, version: v1}}",
    "selector: {matchLabels: {ap: v1}}",
    [
      "AuthorizationPolicy shop/cart: spec.selector.matchLabels ap: v1 matches no workload of namespace shop, so this policy has no effect; no workload there has a label ap",
    ],
  ],
  [
    "AP-12 a selector whose labels no workload has together",
    "selector: {matchLabels: {app: cart, version: v1}}",
    "selector: {matchLabels: {app: cart, version: v2}}",
    [
      "AuthorizationPolicy shop/cart: spec.selector.matchLabels app: cart, version: v2 matches no workload of namespace shop, so this policy has no effect; no workload has all of these labels",
    ],
  ],
  [
    "AP-12 a selector with a value that is unlike any other",
    "selector: {matchLabels: {app: cart, version: v1}}",
    "selector: {matchLabels: {app: warehouse}}",
    [
      "AuthorizationPolicy shop/cart: spec.selector.matchLabels app: warehouse matches no workload of namespace shop, so this policy has no effect; there: app: asleep, app: cart, app: frontend, app: migrate",
    ],
  ],
  [
    "AP-12 a selector with a key that no workload has",
    "selector: {matchLabels: {app: cart, version: v1}}",
    "selector: {matchLabels: {component: cart}}",
    [
      "AuthorizationPolicy shop/cart: spec.selector.matchLabels component: cart matches no workload of namespace shop, so this policy has no effect; no workload there has a label component",
    ],
  ],
  [
    "PA-2 a selector for a workload of another namespace",
    "selector: {matchLabels: {app: cart}}, mtls",
    "selector: {matchLabels: {app: old}}, mtls",
    [
      "PeerAuthentication shop/cart: spec.selector.matchLabels app: old matches no workload of namespace shop, so this policy has no effect; there is such a workload in namespace legacy",
    ],
  ],
  [
    "AP-11 a selector of the root namespace, which reaches the whole mesh",
    "selector: {matchLabels: {app: old}}\n  action",
    "selector: {matchLabels: {app: odl}}\n  action",
    [
      "AuthorizationPolicy istio-system/everywhere: spec.selector.matchLabels app: odl matches no workload of the mesh, so this policy has no effect; did you mean app: old?",
    ],
  ],
  [
    "PA-4 a selector of mutual TLS in the root namespace",
    "spec: {mtls: {mode: STRICT}}",
    "spec: {selector: {matchLabels: {app: cart}}, mtls: {mode: STRICT}}",
    [
      "PeerAuthentication istio-system/default: spec.selector.matchLabels is not obeyed in the root namespace (PA-4), so this policy has no effect; put it into the namespace of its workloads, or leave the selector out",
    ],
  ],
  [
    "AP-14 a policy that is attached to a service",
    "selector: {matchLabels: {app: cart, version: v1}}",
    "targetRefs: [{kind: Service, group: '', name: cart}]",
    [
      "AuthorizationPolicy shop/cart: spec.targetRefs name what a waypoint serves, and there is none here, so this policy has no effect; use a selector",
    ],
  ],
  [
    "AP-13 a policy that is attached to a gateway that is not there",
    "selector: {matchLabels: {app: cart, version: v1}}",
    "targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: front}]",
    [
      'AuthorizationPolicy shop/cart: spec.targetRefs name "front", and no gateway of the Gateway API in namespace shop is called so, so this policy has no effect; one of Istio\'s own takes a selector',
    ],
  ],
  [
    "TLS-41 a rule for clients that there are none of",
    "workloadSelector: {matchLabels: {app: asleep}}",
    "workloadSelector: {matchLabels: {app: asleeep}}",
    [
      "DestinationRule shop/plain: spec.workloadSelector.matchLabels app: asleeep matches no workload of namespace shop, so this rule has no effect; did you mean app: asleep?",
    ],
  ],
  [
    "a service that nobody is behind",
    "selector: {app: cart}\n",
    "selector: {app: kart}\n",
    [
      "Service shop/cart: spec.selector app: kart matches no workload of namespace shop, so nobody answers who calls this service; did you mean app: cart?",
    ],
  ],
  [
    "a service in a namespace without any workload",
    "{name: frontend, namespace: shop}\nspec: {selector: {app: frontend}, ports",
    "{name: frontend, namespace: empty}\nspec: {selector: {tier: web}, ports",
    [
      "Service empty/frontend: spec.selector tier: web matches no workload of namespace empty, so nobody answers who calls this service; there is none at all",
    ],
  ],
  [
    "a target port by a name that no workload gives",
    "targetPort: web}",
    "targetPort: wbe}",
    [
      "Service shop/cart: spec.ports[0] leads to the port called wbe, which no workload behind the service declares, so callers reach nobody; did you mean web?",
    ],
  ],
  [
    "a target port by a name, where no port has one",
    "ports: [{name: http, port: 80}]}",
    "ports: [{name: http, port: 80, targetPort: web}]}",
    [
      "Service shop/frontend: spec.ports[0] leads to the port called web, which no workload behind the service declares, so callers reach nobody; names of ports there: none",
    ],
  ],
  [
    "a target port by a number beside those that are declared",
    "targetPort: 9090}",
    "targetPort: 9091}",
    [
      "Service shop/cart: spec.ports[1] leads to container port 9091, which no workload behind the service declares, so callers may find nobody listening; declared there: 8080, 9090",
    ],
  ],
  [
    "a service account that is not there",
    "spec: {serviceAccountName: spare,",
    "spec: {serviceAccountName: spaer,",
    [
      'Deployment shop/asleep: spec.template.spec.serviceAccountName "spaer" has no ServiceAccount in namespace shop, so Kubernetes would refuse the pods; did you mean spare?',
      'AuthorizationPolicy shop/cart rules[1]: spec.rules[1].from[1].source.serviceAccounts[0] "spare" is the identity of no workload here, so it matches nobody; there is such a ServiceAccount: name it as serviceAccountName of the workload that is meant',
    ],
  ],
  [
    "a service account of another namespace, of a Job",
    "spec: {restartPolicy: Never, containers",
    "spec: {restartPolicy: Never, serviceAccountName: migration, containers",
    [
      'Job shop/migrate: spec.template.spec.serviceAccountName "migration" has no ServiceAccount in namespace shop, so Kubernetes would refuse the pods; add it',
      'AuthorizationPolicy shop/cart rules[0]: spec.rules[0].from[0].source.principals[1] "cluster.local/ns/shop/sa/default" is the identity of no workload here, so it matches nobody; workloads of namespace shop run as cart, frontend, migration, spare',
    ],
  ],
  [
    "INJ-3 a namespace label of another value",
    "{name: empty, labels: {istio-injection: disabled}}",
    '{name: empty, labels: {istio-injection: "true"}}',
    [
      'Namespace empty: metadata.labels.istio-injection is "true", so no pod of namespace empty gets a sidecar, and nothing is enforced there; write enabled, or disabled if that is meant',
    ],
  ],
  [
    "INJ-3 a namespace label that leaves all without sidecars, and identities unproved",
    "{name: shop, labels: {istio-injection: enabled}}",
    "{name: shop, labels: {istio-injection: enable}}",
    [
      'Namespace shop: metadata.labels.istio-injection is "enable", so no pod of namespace shop gets a sidecar, and nothing is enforced there; write enabled, or disabled if that is meant',
    ],
  ],
  [
    "AP-45 a principal with a misspelt account",
    '"cluster.local/ns/shop/sa/frontend",',
    '"cluster.local/ns/shop/sa/fronted",',
    [
      'AuthorizationPolicy shop/cart rules[0]: spec.rules[0].from[0].source.principals[0] "cluster.local/ns/shop/sa/fronted" is the identity of no workload here, so it matches nobody; did you mean cluster.local/ns/shop/sa/frontend?',
    ],
  ],
  [
    "AP-45 a principal with a misspelt namespace, twice in one policy",
    'principals: ["cluster.local/ns/shop/sa/frontend", "cluster.local/ns/shop/sa/default"]',
    'principals: ["cluster.local/ns/hsop/sa/frontend"], notPrincipals: ["cluster.local/ns/hsop/sa/frontend", "cluster.local/ns/hsop/sa/frontend"]',
    [
      'AuthorizationPolicy shop/cart rules[0]: spec.rules[0].from[0].source.principals[0] "cluster.local/ns/hsop/sa/frontend" is the identity of no workload here, so it matches nobody; did you mean cluster.local/ns/shop/sa/frontend?',
      'AuthorizationPolicy shop/cart rules[0]: spec.rules[0].from[0].source.notPrincipals[0] "cluster.local/ns/hsop/sa/frontend" is the identity of no workload here, so it excludes nobody; did you mean cluster.local/ns/shop/sa/frontend?',
    ],
  ],
  [
    "AP-45 a principal of a namespace where nobody is",
    '"cluster.local/ns/shop/sa/frontend",',
    '"cluster.local/ns/warehouse/sa/frontend",',
    [
      'AuthorizationPolicy shop/cart rules[0]: spec.rules[0].from[0].source.principals[0] "cluster.local/ns/warehouse/sa/frontend" is the identity of no workload here, so it matches nobody; no workload is in namespace warehouse',
    ],
  ],
  [
    "AP-45b a principal of workloads that have no sidecar",
    '"cluster.local/ns/shop/sa/frontend",',
    '"cluster.local/ns/legacy/sa/default",',
    [
      'AuthorizationPolicy shop/cart rules[0]: spec.rules[0].from[0].source.principals[0] "cluster.local/ns/legacy/sa/default" is the identity of workloads that have no sidecar and cannot prove it, so it matches nobody; give them sidecars',
    ],
  ],
  [
    "AP-84 a principal of `when`",
    'values: ["a*b"]}',
    'values: ["a*b"]}\n    - {key: source.principal, notValues: ["cluster.local/ns/shop/sa/carts"]}',
    [
      'AuthorizationPolicy shop/cart rules[0]: spec.rules[0].when[1].notValues[0] "cluster.local/ns/shop/sa/carts" is the identity of no workload here, so it excludes nobody; did you mean cluster.local/ns/shop/sa/cart?',
    ],
  ],
  [
    "AP-46 a misspelt namespace",
    "namespaces: [shop],",
    "namespaces: [shopp],",
    [
      'AuthorizationPolicy shop/cart rules[1]: spec.rules[1].from[0].source.namespaces[0] "shopp" is a namespace without workloads here, so it matches nobody; did you mean shop?',
    ],
  ],
  [
    "AP-46 a namespace that nothing is in",
    "namespaces: [shop],",
    "namespaces: [empty],",
    [
      'AuthorizationPolicy shop/cart rules[1]: spec.rules[1].from[0].source.namespaces[0] "empty" is a namespace without workloads here, so it matches nobody; namespaces of workloads with a sidecar: shop',
    ],
  ],
  [
    "AP-46 a namespace without sidecars",
    "namespaces: [shop],",
    "notNamespaces: [legacy],",
    [
      'AuthorizationPolicy shop/cart rules[1]: spec.rules[1].from[0].source.notNamespaces[0] "legacy" is a namespace whose workloads have no sidecar and prove no identity, so it excludes nobody; give them sidecars',
    ],
  ],
  [
    "AP-47 a misspelt service account of the policy's namespace",
    "serviceAccounts: [spare,",
    "serviceAccounts: [spair,",
    [
      'AuthorizationPolicy shop/cart rules[1]: spec.rules[1].from[1].source.serviceAccounts[0] "spair" is the identity of no workload here, so it matches nobody; did you mean spare?',
    ],
  ],
  [
    "AP-47 a misspelt service account of a namespace",
    "serviceAccounts: [spare, shop/cart]",
    "serviceAccounts: [spare, shop/card]",
    [
      'AuthorizationPolicy shop/cart rules[1]: spec.rules[1].from[1].source.serviceAccounts[1] "shop/card" is the identity of no workload here, so it matches nobody; did you mean shop/cart?',
    ],
  ],
];
test("AP-13 nothing is told of a policy that is attached to a gateway that is there", () => {
  const text = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: front-istio, namespace: edge}
spec:
  selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: front}}
  template:
    metadata:
      labels: {gateway.networking.k8s.io/gateway-name: front, sidecar.istio.io/inject: "true"}
      annotations: {inject.istio.io/templates: gateway}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: edge}
spec: {targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: front}]}`;
  const attached = meshNotices(resourcesOf(text), snapshotOf(text).workloads);
  assert.deepEqual(attached, []);
  const elsewhere = text.replace("nobody, namespace: edge", "nobody, namespace: istio-system");
  const notices = meshNotices(resourcesOf(elsewhere), snapshotOf(elsewhere).workloads);
  assert.match(notices.map(({ message }) => message).join("\n"), /^name "front", and no gateway/);
});

for (const [what, right, wrong, notices] of mistakes) {
  test(`${what}: exactly that is told`, () => {
    assert.equal(MESH.split(right).length, 2, "the right text is there once");
    assert.deepEqual(noticesOn(resourcesOf(MESH.replace(right, wrong))), notices);
  });
}

test("AP-45d cluster.local is the mesh's own trust domain, whatever its name; others are not judged", () => {
  const named = MESH.replace('"cluster.local/ns/shop/sa/frontend",', '"TD/ns/shop/sa/fronted",');
  const on = (trustDomain: string): string[] => {
    const settings = "---\ntrustDomain: example.org\ntrustDomainAliases: [old.example.org]\n";
    return noticesOn(resourcesOf(named.replace("TD", trustDomain) + settings));
  };
  assert.match(on("cluster.local").join(), /mean cluster\.local\/ns\/shop\/sa\/frontend\?$/);
  assert.match(on("example.org").join(), /mean example\.org\/ns\/shop\/sa\/frontend\?$/);
  assert.deepEqual(on("old.example.org"), []);
  assert.deepEqual(on("partner.example"), []);
});

test("AP-45 a principal of other than five segments may be anybody's, and is not judged", () => {
  for (const segments of ["ns/shop/sa/nobody/else", "ns/shop/sa", "ns/shop/nobody"]) {
    const named = MESH.replace("ns/shop/sa/frontend", segments);
    assert.deepEqual(noticesOn(resourcesOf(named)), []);
  }
});

test("the root namespace is the one that the mesh is told", () => {
  const moved = MESH.replaceAll("namespace: istio-system", "namespace: mesh-root");
  const settings = "---\nrootNamespace: mesh-root\n";
  const rest = noticesOn(resourcesOf(moved + settings));
  assert.deepEqual(
    rest.map((notice) => /"[^"]+"/.exec(notice)?.[0]),
    ['"cluster.local/ns/istio-system/sa/gateway"', '"istio-system"'],
  );
  assert.equal(noticesOn(resourcesOf(moved)).length, 2);
});

test("AP-45 what begins with spiffe:// is told of by its parser, and not again", () => {
  const wrong = MESH.replace(
    '"cluster.local/ns/shop/sa/frontend",',
    '"spiffe://cluster.local/ns/shop/sa/nobody",',
  );
  const parsed = parseResources(wrong, "mesh.yaml");
  assert.equal(parsed.notices.filter(({ message }) => /spiffe/.test(message)).length, 1);
  assert.deepEqual(noticesOn(parsed.resources), []);
});

test("notices come in the order of files, then lines", () => {
  const one =
    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {a: b}, ports: [{port: 1}]}";
  const two = one.replace("name: a", "name: b");
  const files = [resourcesOf(`${one}\n---\n${two}`, "z.yaml"), resourcesOf(one, "b.yaml")];
  for (const resources of [files.flat(), files.flat().reverse()]) {
    assert.deepEqual(
      meshNotices(resources, []).map(({ source }) => [source.file, source.line]),
      [
        ["b.yaml", 1],
        ["z.yaml", 1],
        ["z.yaml", 6],
      ],
    );
  }
});

test("a workload of the mesh that is in no file declares the ports that it has", () => {
  const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: shop}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: a, image: x, ports: [{name: web, containerPort: 8080}]}]}
`;
  const { workloads } = snapshotOf(deployment);
  const leadingTo = (port: string) =>
    resourcesOf(
      `apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\nspec: {selector: {app: a}, ports: [{port: 80, targetPort: ${port}}]}`,
    );
  assert.deepEqual(meshNotices(leadingTo("web"), workloads), []);
  assert.equal(meshNotices(leadingTo("wbe"), workloads).length, 1);
});
