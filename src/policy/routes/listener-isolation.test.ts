/** Listeners of the Gateway API on one port, whose routes are apart, out of resources as users write them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openGateway } from "../../../test/kit/gateway-parts.ts";
import { snapshotOf, workloadNamed } from "../../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "../build-workload-view.ts";
import { compileRoutes } from "./route-table.ts";

const document = (kind: string, name: string, namespace: string, spec: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}`;

const listener = (name: string, from: string, hostname: string): string =>
  `{name: ${name}, port: 80, protocol: HTTP, ${hostname}allowedRoutes: {namespaces: {from: ${from}}}}`;

/** One for all, and narrower ones that let in their own namespace alone. */
const GATEWAY = document(
  "Gateway",
  "edge",
  "istio-ingress",
  `{gatewayClassName: istio, listeners: [${[
    listener("any", "All", ""),
    listener("shop", "Same", "hostname: shop.example.com, "),
    listener("bank", "Same", 'hostname: "*.bank.example", '),
  ].join(", ")}]}`,
);

const route = (name: string, namespace: string, section: string, hosts: string): string =>
  document(
    "HTTPRoute",
    name,
    namespace,
    `{parentRefs: [{name: edge, namespace: istio-ingress${section}}], ${hosts}rules: [{backendRefs: [{name: ${name}, port: 1}]}]}`,
  );

function wayOf(yaml: string, authority: string): string | undefined {
  const labelled = openGateway.replaceAll(
    "istio: ingress}",
    "istio: ingress, gateway.networking.k8s.io/gateway-name: edge}",
  );
  const snapshot = snapshotOf(labelled + GATEWAY + yaml);
  const view = buildWorkloadView(snapshot, workloadNamed(snapshot, "istio-ingress/ingress-0"));
  const traffic = view.gateway?.listeners[0]?.servers[0]?.traffic;
  assert.ok(traffic?.is === "http");
  const asked = { method: "GET", path: "/", scheme: "http", authority } as const;
  const found = compileRoutes(traffic.virtualHosts)
    .hostOf(authority)
    ?.find({ ...asked, header: () => undefined });
  return found?.origin.ref.name;
}

const tenants =
  route("greedy", "shop", "", "hostnames: [shop.example.com, a.bank.example, else.example], ") +
  route("all", "shop", "", "");
const owners =
  route("own-shop", "istio-ingress", ", sectionName: shop", "") +
  route("own-bank", "istio-ingress", ", sectionName: bank", "hostnames: [a.bank.example], ");

const cases: [what: string, yaml: string, authority: string, way: string | undefined][] = [
  ["a host of the wider one", tenants + owners, "else.example", "greedy"],
  ["a host of nobody else", tenants + owners, "other.example", "all"],
  ["a host of a narrower one", tenants + owners, "shop.example.com", "own-shop"],
  ["a narrower one without routes", tenants, "shop.example.com", undefined],
  ["a host within a narrower wildcard", tenants + owners, "a.bank.example", "own-bank"],
  ["one that none of its routes is for", tenants + owners, "b.bank.example", undefined],
];
for (const [what, yaml, authority, way] of cases) {
  test(`${what} goes to ${way ?? "nobody"}`, () => assert.equal(wayOf(yaml, authority), way));
}
