import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import type { Labels } from "../api/resource.ts";
import { effectiveAuthorization, effectiveRequestAuthentications } from "./effective-policy.ts";
import { buildSnapshot } from "./mesh-snapshot.ts";
import { type PolicySubject, policiesFor, type ServedService } from "./policy-selection.ts";

const GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";

const pod: PolicySubject = { namespace: "shop", labels: { app: "cart" } };
const gateway: PolicySubject = {
  namespace: "shop",
  labels: { app: "cart", [GATEWAY_NAME]: "front" },
};

function waypoint(...services: readonly ServedService[]): PolicySubject {
  return { ...gateway, waypoint: { services } };
}

const cart: ServedService = { kind: "Service", namespace: "shop", name: "cart" };
const entry: ServedService = { kind: "ServiceEntry", namespace: "shop", name: "cart" };
const elsewhere: ServedService = { kind: "Service", namespace: "stock", name: "cart" };

const target = (kind: string, name: string, group = "gateway.networking.k8s.io"): string =>
  `{targetRefs: [{group: "${group}", kind: ${kind}, name: ${name}}]}`;
const toService = target("Service", "cart", "");
const toEntry = target("ServiceEntry", "cart", "networking.istio.io");
const toWaypoints = target("GatewayClass", "istio-waypoint");
const selecting = "{selector: {matchLabels: {app: cart}}}";
const everywhere = "{}";

type Case = [rule: string, subject: PolicySubject, where: string, spec: string, applies: boolean];
const cases: Case[] = [
  ["AP-10 own namespace", pod, "shop", everywhere, true],
  ["AP-10 another namespace", pod, "stock", everywhere, false],
  ["AP-10 root namespace", pod, "istio-system", everywhere, true],
  ["AP-11 root namespace with a selector", pod, "istio-system", selecting, true],
  ["AP-12 one label of two", pod, "shop", "{selector: {matchLabels: {app: cart, v: v1}}}", false],
  ["AP-12 another value", pod, "shop", "{selector: {matchLabels: {app: Cart}}}", false],
  ["AP-14 a gateway, not a sidecar", pod, "shop", target("Gateway", "front"), false],
  ["AP-14 a service, not a sidecar behind it", pod, "shop", toService, false],
  ["AP-15 the gateway of that name", gateway, "shop", target("Gateway", "front"), true],
  ["AP-15 a gateway of another name", gateway, "shop", target("Gateway", "back"), false],
  ["AP-15 only from its own namespace", gateway, "istio-system", target("Gateway", "front"), false],
  ["AP-15 a gateway by its labels", gateway, "shop", selecting, true],
  ["AP-15 a gateway by no selector", gateway, "istio-system", everywhere, true],
  ["AP-15 other labels", gateway, "shop", "{selector: {matchLabels: {app: other}}}", false],
  ["AP-16 a service is no gateway's", gateway, "shop", toService, false],
  ["AP-16 a waypoint as a gateway", waypoint(), "shop", target("Gateway", "front"), true],
  ["AP-16 a waypoint's service", waypoint(cart), "shop", toService, true],
  ["AP-16 the group core", waypoint(cart), "shop", target("Service", "cart", "core"), true],
  ["AP-16 a service it does not serve", waypoint(), "shop", toService, false],
  ["AP-16 a service of another name", waypoint(cart), "shop", target("Service", "x", ""), false],
  ["AP-16 a service of another namespace", waypoint(elsewhere), "shop", toService, false],
  ["AP-16 with that service's own policies", waypoint(elsewhere), "stock", toService, true],
  ["AP-16 one of several services", waypoint(elsewhere, cart), "shop", toService, true],
  ["AP-16 a ServiceEntry", waypoint(entry), "shop", toEntry, true],
  ["AP-16 a Service is no ServiceEntry", waypoint(cart), "shop", toEntry, false],
  ["AP-16 a ServiceEntry is no Service", waypoint(entry), "shop", toService, false],
  ["AP-16 the class, from the root", waypoint(), "istio-system", toWaypoints, true],
  ["AP-16 the class, from elsewhere", waypoint(), "shop", toWaypoints, false],
  [
    "AP-16 another class",
    waypoint(),
    "istio-system",
    target("GatewayClass", "istio-eastwest"),
    false,
  ],
  [
    "AP-16 a gateway called as the class is",
    waypoint(),
    "istio-system",
    target("Gateway", "istio-waypoint"),
    false,
  ],
  ["AP-16 the class of waypoints is no gateway's", gateway, "istio-system", toWaypoints, false],
  ["AP-16 a waypoint by its labels", waypoint(cart), "shop", selecting, false],
  ["AP-16 a waypoint by no selector", waypoint(cart), "istio-system", everywhere, false],
  [
    "AP-15 any of several targets",
    gateway,
    "shop",
    "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: back}, {group: gateway.networking.k8s.io, kind: Gateway, name: front}]}",
    true,
  ],
  [
    "AP-18 a classic gateway is a workload like any other",
    { namespace: "istio-system", labels: { istio: "ingressgateway" } },
    "istio-system",
    "{selector: {matchLabels: {istio: ingressgateway}}}",
    true,
  ],
  [
    "AP-18 a policy of the application's namespace is not for it",
    { namespace: "istio-system", labels: { istio: "ingressgateway" } },
    "shop",
    "{selector: {matchLabels: {istio: ingressgateway}}}",
    false,
  ],
];
for (const [rule, subject, where, spec, applies] of cases) {
  test(`${rule}: ${applies ? "applies" : "does not apply"}`, () => {
    const snapshot = snapshotOfPolicy("AuthorizationPolicy", { where, spec });
    assert.equal(effectiveAuthorization(snapshot, subject).allow.length, applies ? 1 : 0);
  });
  test(`JWT-2 as ${rule}: ${applies ? "applies" : "does not apply"}`, () => {
    const snapshot = snapshotOfPolicy("RequestAuthentication", {
      where,
      spec: spec.replace(/\}$/, `${spec === "{}" ? "" : ", "}jwtRules: [{issuer: a}]}`),
    });
    assert.equal(effectiveRequestAuthentications(snapshot, subject).length, applies ? 1 : 0);
  });
}

function snapshotOfPolicy(
  kind: string,
  {
    where,
    spec,
    ...options
  }: {
    readonly where: string;
    readonly spec: string;
    readonly gatewaySelectors?: "honoured" | "ignored";
  },
) {
  const resources = resourcesOf(`
apiVersion: security.istio.io/v1
kind: ${kind}
metadata: {name: p, namespace: ${where}}
spec: ${spec}
`);
  return buildSnapshot({ resources, workloads: [], rootsPem: [], ...options });
}

for (const [subject, spec, applies] of [
  [gateway, selecting, false],
  [gateway, everywhere, false],
  [gateway, target("Gateway", "front"), true],
  [pod, selecting, true],
] as const) {
  test(`AP-15 ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY=false: ${spec} for ${JSON.stringify(subject.labels)}`, () => {
    const snapshot = snapshotOfPolicy("AuthorizationPolicy", {
      where: "shop",
      spec,
      gatewaySelectors: "ignored",
    });
    assert.equal(effectiveAuthorization(snapshot, subject).allow.length, applies ? 1 : 0);
  });
}

test("a policy applies once, also where the namespaces in scope are one", () => {
  const policy = { meta: { namespace: "istio-system" }, selector: {}, targetRefs: [] };
  const byNamespace = new Map([["istio-system", [policy]]]);
  const home = { namespace: "istio-system", labels: {} };
  assert.deepEqual(policiesFor(byNamespace, home, { rootNamespace: "istio-system" }), [policy]);
});

test("AP-16 a waypoint is known as one by its name: without it targets are nobody's", () => {
  const unnamed = { namespace: "shop", labels: {}, waypoint: { services: [cart] } };
  for (const spec of [toService, toWaypoints]) {
    const where = spec === toService ? "shop" : "istio-system";
    const snapshot = snapshotOfPolicy("AuthorizationPolicy", { where, spec });
    assert.deepEqual(effectiveAuthorization(snapshot, unnamed).allow, []);
  }
});

test("AP-17 a target in another namespace never matches, should one get here", () => {
  const targetRefs = [
    { group: "gateway.networking.k8s.io", kind: "Gateway", name: "front", namespace: "stock" },
  ];
  const policy = { meta: { namespace: "shop" }, selector: {}, targetRefs };
  const found = policiesFor(new Map([["shop", [policy]]]), gateway, { rootNamespace: "root" });
  assert.deepEqual(found, []);
});

const foreign: [rule: string, where: string, group: string, kind: string, name: string][] = [
  ["AP-15 a Gateway of Istio's own API", "shop", "networking.istio.io", "Gateway", "front"],
  ["AP-15 what is no Gateway", "shop", "gateway.networking.k8s.io", "HTTPRoute", "front"],
  ["AP-16 a class of another API", "istio-system", "example.com", "GatewayClass", "istio-waypoint"],
];
for (const [rule, where, group, kind, name] of foreign) {
  test(`${rule} never matches, should one get here`, () => {
    const targetRefs = [{ group, kind, name, namespace: "" }];
    const policy = { meta: { namespace: where }, selector: {}, targetRefs };
    const options = { rootNamespace: "istio-system" };
    assert.deepEqual(policiesFor(new Map([[where, [policy]]]), waypoint(cart), options), []);
  });
}

test("law: a further label of a sidecar never takes a policy away, a further one of a selector never adds it", () => {
  const labels = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"));
  const isFor = (selector: Labels, own: Labels): boolean => {
    const policy = { meta: { namespace: "shop" }, selector, targetRefs: [] };
    const subject = { namespace: "shop", labels: own };
    return policiesFor(new Map([["shop", [policy]]]), subject, { rootNamespace: "r" }).length > 0;
  };
  fc.assert(
    fc.property(labels, labels, labels, (selector, own, more) => {
      if (isFor(selector, own)) assert.ok(isFor(selector, { ...more, ...own }));
      if (!isFor(selector, own)) assert.ok(!isFor({ ...more, ...selector }, own));
    }),
  );
});
