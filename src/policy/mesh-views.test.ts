import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadViews } from "./build-workload-view.ts";
import { MeshViews } from "./mesh-views.ts";

const namespace = (name: string): string => `
---
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {istio-injection: enabled}}`;

const application = (name: string, inNamespace: string, { ports = "80" } = {}): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${inNamespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: a, image: x, ports: [{name: web, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${inNamespace}}
spec: {selector: {app: ${name}}, ports: [{name: http, port: ${ports}, targetPort: web}]}`;

const resource = (group: string, kind: string, at: string, spec: string): string => {
  const [inNamespace, name] = at.split("/");
  return `
---
apiVersion: ${group}/v1
kind: ${kind}
metadata: {name: ${name}, namespace: ${inNamespace}}
spec: ${spec}`;
};

const policy = (at: string, spec = "{}"): string =>
  resource("security.istio.io", "AuthorizationPolicy", at, spec);
const BASE =
  namespace("shop") +
  namespace("bank") +
  application("api", "shop") +
  application("web", "shop") +
  application("teller", "bank");
const ROOT_POLICY = "{rules: [{to: [{operation: {methods: [GET]}}]}]}";

/** What comes to the mesh above, and whose views it concerns. */
const CHANGES: readonly [what: string, added: string, concerned: string][] = [
  ["nothing", "", ""],
  ["a policy for the mesh", policy("istio-system/all", ROOT_POLICY), "api web teller"],
  ["a policy for a namespace", policy("shop/all"), "api web"],
  ["a policy for a workload", policy("shop/one", "{selector: {matchLabels: {app: api}}}"), "api"],
  [
    "mutual TLS of a workload, which callers obey",
    resource(
      "security.istio.io",
      "PeerAuthentication",
      "bank/plaintext",
      "{selector: {matchLabels: {app: teller}}, mtls: {mode: DISABLE}}",
    ),
    "api web teller",
  ],
  [
    "a rule for callers of one namespace",
    resource(
      "networking.istio.io",
      "DestinationRule",
      "shop/calls",
      "{host: teller.bank.svc.cluster.local, exportTo: [.], trafficPolicy: {tls: {mode: DISABLE}}}",
    ),
    "api web",
  ],
  [
    "a route for callers of one namespace",
    resource(
      "networking.istio.io",
      "VirtualService",
      "bank/route",
      "{hosts: [web.shop.svc.cluster.local], exportTo: [.], http: [{fault: {abort: {httpStatus: 418, percentage: {value: 100}}}, route: [{destination: {host: web.shop.svc.cluster.local}}]}]}",
    ),
    "teller",
  ],
  [
    "another host",
    resource(
      "networking.istio.io",
      "ServiceEntry",
      "shop/outside",
      "{hosts: [a.example], exportTo: [.], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}",
    ),
    "api web",
  ],
  ["another service", application("stock", "shop"), "api web teller stock"],
];

const nameOf = (pod: string): string => pod.replace(/^.*\/(.*)-0$/, "$1");

for (const addressing of ["loopback", "own"] as const) {
  for (const [what, added, concerned] of CHANGES) {
    test(`${addressing} addresses, ${what}: as if made anew, others are the same objects`, () => {
      const snapshotWith = (yaml: string) => snapshotOf(BASE + yaml, { addressing });
      const meshViews = new MeshViews();
      const before = meshViews.build(snapshotWith(""));
      const after = meshViews.build(snapshotWith(added));
      assert.deepEqual(after, buildWorkloadViews(snapshotWith(added)));
      const changed = [...after.keys()].filter((pod) => after.get(pod) !== before.get(pod));
      assert.equal(changed.map(nameOf).join(" "), concerned);
      if (concerned === "") assert.equal(after, before);
      const back = meshViews.build(snapshotWith(""));
      assert.deepEqual(back, buildWorkloadViews(snapshotWith("")));
    });
  }
}

test("what views share they share after a change, too", () => {
  const snapshotWith = (yaml: string) => snapshotOf(BASE + yaml, { addressing: "own" });
  const meshViews = new MeshViews();
  meshViews.build(snapshotWith(""));
  const [rootPem = ""] = snapshotWith("").rootsPem;
  const changed = {
    ...snapshotWith(policy("shop/all", ROOT_POLICY)),
    rootsPem: [rootPem, "another root"],
  };
  const [api, web, teller] = [...meshViews.build(changed).values()];
  assert.deepEqual(api?.trust.rootsPem, changed.rootsPem);
  assert.equal(api.trust, web?.trust);
  assert.equal(api.trust, teller?.trust);
  assert.equal(api.inbound.authorization.allow.length, 1);
  assert.equal(api.inbound.authorization, web?.inbound.authorization);
});

test("pods with addresses of their own share what all of their namespace may call", () => {
  const views = buildWorkloadViews(snapshotOf(BASE, { addressing: "own" }));
  const [api, web, teller] = [...views.values()].map(({ outbound }) => outbound);
  assert.equal(api, web);
  assert.notEqual(api, teller);
  assert.equal(api?.destinations[0], teller?.destinations[0]);
});
