import assert from "node:assert/strict";
import { test } from "node:test";
import { openGateway } from "../../test/kit/gateway-parts.ts";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import { routeNotices } from "./route-notices.ts";

const noticesOn = (yaml: string): readonly string[] => {
  const text = openGateway + yaml;
  return routeNotices(resourcesOf(text), snapshotOf(text).workloads).map(({ message }) => message);
};

const document = (
  apiVersion: string,
  kind: string,
  name: string,
  spec: string,
  namespace = "shop",
): string => `
---
apiVersion: ${apiVersion}
kind: ${kind}
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}`;
const networking = (kind: string, name: string, spec: string): string =>
  document("networking.istio.io/v1", kind, name, spec, "istio-ingress");
const gateway = (name: string, server: string): string =>
  networking("Gateway", name, `{selector: {istio: ingress}, servers: [{${server}}]}`);
const HTTP = "port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example.com]";
const service = (spec: string): string =>
  networking("VirtualService", "web", `{hosts: [a.example.com], ${spec}}`);
const TO_API = "http: [{route: [{destination: {host: api.shop.svc.cluster.local}}]}]";
const api = (kind: string, spec: string): string =>
  document("gateway.networking.k8s.io/v1", kind, "edge", spec);

/** Why a route is left alone: Gateway API, "allowedRoutes" of a listener, and `parentRefs` of a route. */
function untakenRoutes(): [what: string, yaml: string, notices: readonly RegExp[]][] {
  const edge = (listener: string): string =>
    api("Gateway", `{gatewayClassName: istio, listeners: [{name: a, port: 80, ${listener}}]}`);
  const route = (parent: string, namespace = "shop"): string =>
    document(
      "gateway.networking.k8s.io/v1",
      "HTTPRoute",
      "edge",
      `{parentRefs: [${parent}], rules: []}`,
      namespace,
    );
  const allowed = (rules: string): string => `protocol: HTTP, allowedRoutes: ${rules}`;
  const named = "{name: edge, namespace: shop}";
  return [
    [
      "an HTTPRoute of another namespace",
      edge("protocol: HTTP") + route(named, "istio-ingress"),
      [
        /: listener "a" takes routes of namespace shop alone, as allowedRoutes\.namespaces\.from is Same unless it is written, and this one is of istio-ingress$/,
      ],
    ],
    [
      "an HTTPRoute of a Gateway that is not there",
      edge("protocol: HTTP") + route("{name: egde}"),
      [/^"shop\/egde" .*: there is no such Gateway of the Gateway API$/],
    ],
    [
      "an HTTPRoute for another port",
      edge("protocol: HTTP") + route("{name: edge, port: 8080}"),
      [/: port is 8080, and its listeners' is 80$/],
    ],
    [
      "an HTTPRoute that a selector leaves out",
      edge(allowed("{namespaces: {from: Selector, selector: {matchLabels: {a: b}}}}")) +
        route(named),
      [/: allowedRoutes\.namespaces\.selector of listener "a" does not select namespace shop$/],
    ],
    [
      "an HTTPRoute of a listener for nobody",
      edge(allowed("{namespaces: {from: None}}")) + route(named),
      [/: allowedRoutes\.namespaces\.from of listener "a" is None$/],
    ],
    [
      "an HTTPRoute of a listener of TCP",
      edge("protocol: TCP") + route(named),
      [/: its listeners there carry no HTTP$/],
    ],
  ];
}

const told: [what: string, yaml: string, notices: readonly RegExp[]][] = [
  ["nothing of a mesh without routes", "", []],
  [
    "nothing of what is in order",
    gateway("edge", HTTP) + service(`gateways: [edge], ${TO_API}`),
    [],
  ],
  [
    "a Gateway that is not there",
    service(`gateways: [shop/edge], ${TO_API}`),
    [/^"shop\/edge" is no Gateway of this mesh/],
  ],
  [
    "a service that is not there",
    gateway("edge", HTTP) +
      service("gateways: [edge], http: [{route: [{destination: {host: api}}]}]"),
    [
      /^this route leads to "api", .*: the answer is 503; a name without a dot is a service of istio-ingress$/,
    ],
  ],
  [
    "a delegate that is not there",
    gateway("edge", HTTP) +
      service("gateways: [edge], http: [{delegate: {name: b, namespace: shop}}]"),
    [
      /^this route is left out: "shop\/b", to which it delegates, is no VirtualService without hosts/,
    ],
  ],
  [
    "more routes than delegation may make",
    gateway("edge", HTTP) +
      service(
        `gateways: [edge], http: [${Array.from({ length: 101 }, () => "{delegate: {name: leaf}}").join(", ")}]`,
      ) +
      networking(
        "VirtualService",
        "leaf",
        `{http: [${Array.from({ length: 100 }, () => TO_API.slice(7, -1)).join(", ")}]}`,
      ),
    [
      /^this route leads nowhere: more than 10000 routes would come of what VirtualServices of namespace istio-ingress delegate; the answer is 503$/,
    ],
  ],
  [
    "a host that Gateways of two namespaces share without TLS",
    gateway("a", HTTP) + gateway("b", HTTP).replace("namespace: istio-ingress", "namespace: shop"),
    [
      /^the server of port 80 of Gateway istio-ingress\/a shares its host (.+) with Gateway shop\/b: the routes of both are for it$/,
      /^the server of port 80 of Gateway shop\/b shares its host (.+) with Gateway istio-ingress\/a: /,
    ],
  ],
  [
    "a port with two protocols",
    gateway("a", HTTP) + gateway("b", HTTP.replace("protocol: HTTP", "protocol: TCP")),
    [
      /^the server of port 80 of Gateway istio-ingress\/b is not served by istio-ingress\/ingress: its port 80 is taken already, by Gateway istio-ingress\/a; it is left out$/,
    ],
  ],
  [
    "a port that no container declares",
    gateway("a", HTTP.replace("number: 80", "number: 9090")),
    [
      /is not served by istio-ingress\/ingress on this machine's loopback: its container does not declare port 9090/,
    ],
  ],
  [
    "a certificate that is missing",
    gateway(
      "a",
      "port: {number: 443, name: https, protocol: HTTPS}, hosts: [a], tls: {mode: SIMPLE, credentialName: c}".replace(
        "[a]",
        "[a.example.com]",
      ),
    ),
    [/refuses all handshakes: Secret istio-ingress\/c is not there$/],
  ],
  [
    "an HTTPRoute that no listener takes",
    api("Gateway", "{gatewayClassName: istio, listeners: [{name: a, port: 80, protocol: HTTP}]}") +
      api("HTTPRoute", "{parentRefs: [{name: edge, sectionName: b}, {name: edge}], rules: []}"),
    [
      /^"shop\/edge" has no listener that takes this route: sectionName is "b", and its listeners are "a"$/,
    ],
  ],
  ...untakenRoutes(),
  [
    "backends that are not there, or not granted",
    api("Gateway", "{gatewayClassName: istio, listeners: [{name: a, port: 80, protocol: HTTP}]}") +
      api(
        "HTTPRoute",
        "{parentRefs: [{name: edge}], rules: [{backendRefs: [{name: api, port: 8000}, {name: b, port: 1}, {name: c, namespace: bank, port: 1}]}]}",
      ),
    [
      /^a backend of this rule is answered with 500: there is no Service b\.shop\.svc/,
      /500: no ReferenceGrant in bank/,
    ],
  ],
];
for (const [what, yaml, notices] of told) {
  test(`told is ${what}`, () => {
    const messages = noticesOn(yaml);
    assert.equal(messages.length, notices.length, messages.join("\n"));
    for (const [index, notice] of notices.entries()) assert.match(messages[index] ?? "", notice);
  });
}
