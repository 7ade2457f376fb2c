import assert from "node:assert/strict";
import { test } from "node:test";
import { testWebhook, type WebhookRow } from "../../../test/kit/webhook-table.ts";
import { parseResources } from "../parse-resources.ts";

const HTTP = "port: {number: 90, protocol: HTTP, name: web}";
const HTTPS = "port: {number: 90, protocol: HTTPS, name: web}";
const FILES = "serverCertificate: /a, privateKey: /b";
const I = "spec.ingress[0]";
const E = "spec.egress[0]";
const ingress = (...listeners: string[]): string =>
  `{ingress: [${listeners.map((fields) => `{${fields}}`).join(", ")}]}`;
const egress = (...listeners: string[]): string =>
  `{egress: [${listeners.map((fields) => `{${fields}}`).join(", ")}]}`;
const hosts = (...names: string[]): string =>
  egress(`hosts: [${names.map((name) => `"${name}"`).join(", ")}]`);
const endpoint = (text: string): string => ingress(`${HTTP}, defaultEndpoint: "${text}"`);
const tls = (fields: string): string => ingress(`${HTTPS}, tls: {${fields}}`);
const outbound = (fields: string): string => `{outboundTrafficPolicy: {${fields}}}`;

const whole: readonly WebhookRow[] = [
  { name: "one part is enough", spec: hosts("*/*") },
  { name: "nothing", spec: "{}", faults: ["spec"] },
  { name: "lists without items say nothing", spec: "{ingress: [], egress: []}", faults: ["spec"] },
  {
    name: "VAL-4 a selector without labels",
    spec: "{workloadSelector: {labels: {}}, egress: [{hosts: ['*/*']}]}",
    warnings: ["spec.workloadSelector"],
  },
  {
    name: "VAL-3 a wildcard in a selector, after which nothing else is looked at",
    spec: "{workloadSelector: {labels: {a: '*'}}, egress: [{hosts: []}]}",
    faults: ["spec.workloadSelector.labels.a"],
  },
  {
    name: "a pool without limits",
    spec: "{inboundConnectionPool: {}}",
    faults: ["spec.inboundConnectionPool"],
  },
];

const ingressRows: readonly WebhookRow[] = [
  { name: "a port", spec: ingress(HTTP) },
  { name: "a port whose protocol is found out", spec: ingress("port: {number: 90}") },
  { name: "no port", spec: ingress("defaultEndpoint: '127.0.0.1:80'"), faults: [`${I}.port`] },
  {
    name: "no number, a wrong name, an unknown protocol, and a port behind the port",
    spec: ingress("port: {name: a_b, protocol: FOO, targetPort: 1}"),
    faults: [`${I}.port.name`, `${I}.port.protocol`, `${I}.port.targetPort`, `${I}.port.number`],
  },
  {
    name: "the same port twice",
    spec: ingress(HTTP, HTTP),
    faults: ["spec.ingress[1].port.number"],
  },
  { name: "a bind", spec: ingress(`${HTTP}, bind: 0.0.0.0`) },
  { name: "no address to bind to", spec: ingress(`${HTTP}, bind: a.com`), faults: [`${I}.bind`] },
  {
    name: "a pool for HTTP on a port of TCP",
    spec: ingress("port: {number: 1, protocol: TCP}, connectionPool: {http: {maxRetries: 1}}"),
    warnings: [`${I}.connectionPool.http`],
  },
  {
    name: "a pool with a negative limit",
    spec: ingress(`${HTTP}, connectionPool: {http: {maxRetries: -1}}`),
    faults: [`${I}.connectionPool.http.maxRetries`],
  },
];

const endpoints: readonly WebhookRow[] = [
  ...["127.0.0.1:80", "0.0.0.0:80", "[::1]:80", "[::]:80", ":80", "unix:///a", "unix://@a"].map(
    (text) => ({ name: `endpoint ${text}`, spec: endpoint(text) }),
  ),
  ...[
    "1.1.1.1:80",
    "::1:80",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:http",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "[::1]",
    "[::1:80",
    "unix:///a/",
  ].map((text) => ({
    name: `endpoint ${text}`,
    spec: endpoint(text),
    faults: [`${I}.defaultEndpoint`],
  })),
];

const tlsRows: readonly WebhookRow[] = [
  { name: "TLS from files", spec: tls(`mode: SIMPLE, ${FILES}`) },
  { name: "TLS that passes through", spec: tls("mode: PASSTHROUGH") },
  {
    name: "TLS on a port of HTTP",
    spec: ingress(`${HTTP}, tls: {mode: SIMPLE, ${FILES}}`),
    faults: [`${I}.tls`],
  },
  {
    name: "TLS of the mesh",
    spec: tls("mode: ISTIO_MUTUAL"),
    faults: [`${I}.tls.mode`],
  },
  {
    name: "TLS routed by SNI",
    spec: tls("mode: AUTO_PASSTHROUGH"),
    faults: [`${I}.tls.mode`],
  },
  {
    name: "TLS without certificate",
    spec: tls("mode: SIMPLE"),
    faults: [`${I}.tls.serverCertificate`, `${I}.tls.privateKey`],
  },
  {
    name: "TLS with what only a Gateway has",
    spec: tls(`mode: SIMPLE, ${FILES}, subjectAltNames: [a], httpsRedirect: true`),
    faults: [`${I}.tls.subjectAltNames`, `${I}.tls.httpsRedirect`],
  },
  {
    name: "TLS with stored credentials",
    spec: tls("mode: SIMPLE, credentialName: a"),
    faults: [`${I}.tls.credentialName`],
  },
];

const egressRows: readonly WebhookRow[] = [
  { name: "a port", spec: egress(`${HTTP}, hosts: [a/b.com]`) },
  { name: "a port and all others", spec: egress(`${HTTP}, hosts: [a/b.com]`, 'hosts: ["*/*"]') },
  {
    name: "all others before a port",
    spec: egress("hosts: [a/b.com]", `${HTTP}, hosts: [a/b.com]`),
    faults: [`${E}.port`],
  },
  {
    name: "the same port twice",
    spec: egress(`${HTTP}, hosts: [a/b.com]`, `${HTTP}, hosts: [a/b.com]`),
    faults: ["spec.egress[1].port.number"],
  },
  {
    name: "a port beyond the last, bound to no address",
    spec: egress("port: {number: 65536}, bind: a.com, hosts: [a/b.com]"),
    faults: [`${E}.port.number`, `${E}.bind`],
  },
  {
    name: "a socket",
    spec: egress("port: {number: 0}, bind: unix:///a, captureMode: NONE, hosts: [a/b.com]"),
  },
  {
    name: "a socket that traffic is to be redirected to",
    spec: egress("port: {number: 0}, bind: unix:///a, captureMode: IPTABLES, hosts: [a/b.com]"),
    faults: [`${E}.captureMode`],
  },
  {
    name: "port 0 bound to an address",
    spec: egress("port: {number: 0}, bind: 1.1.1.1, hosts: [a/b.com]"),
    faults: [`${E}.bind`],
  },
  {
    name: "the same socket twice",
    spec: egress(
      "port: {number: 0}, bind: unix:///a, hosts: [a/b.com]",
      "port: {number: 0}, bind: unix:///a, hosts: [a/b.com]",
    ),
    faults: ["spec.egress[1].bind"],
  },
];

const hostRows: readonly WebhookRow[] = [
  ...["*/*", "./*", "./a.com", "shop/*.a.com", "~shop/*", "~/*"].map((name) => ({
    name: `host ${name}`,
    spec: hosts(name),
  })),
  ...[
    "*",
    "a.com",
    "/",
    "/a.com",
    "shop/",
    "a_b/*",
    "~A_b/*",
    "shop/a",
    "shop/*a.com",
    "shop/1.1.1.1",
  ].map((name) => ({ name: `host ${name}`, spec: hosts(name), faults: [`${E}.hosts[0]`] })),
  { name: "no host", spec: egress("hosts: []"), faults: [`${E}.hosts`] },
  { name: "a host twice", spec: hosts("a/b.com", "a/b.com"), warnings: [`${E}.hosts[1]`] },
  {
    name: "a host after all of its namespace",
    spec: hosts("a/*", "a/b.com"),
    warnings: [`${E}.hosts[1]`],
  },
  {
    name: "all of a namespace after a host",
    spec: hosts("a/b.com", "a/*"),
    warnings: [`${E}.hosts[1]`],
  },
  {
    name: "the own namespace by both names",
    spec: hosts("./*", "shop/b.com"),
    warnings: [`${E}.hosts[1]`],
  },
  { name: "all, and one more", spec: hosts("*/*", "a/b.com"), warnings: [`${E}.hosts`] },
  { name: "all, but one", spec: hosts("*/*", "~a/b.com") },
  { name: "one host in any namespace, and another", spec: hosts("*/a.com", "a/b.com") },
];

const outboundRows: readonly WebhookRow[] = [
  { name: "anywhere", spec: outbound("mode: ALLOW_ANY") },
  {
    name: "anywhere, through a proxy",
    spec: outbound("mode: ALLOW_ANY, egressProxy: {host: a.com, subset: v1, port: {number: 80}}"),
  },
  {
    name: "through a proxy, but known services only",
    spec: outbound("egressProxy: {host: a.com, port: {number: 80}}"),
    faults: ["spec.outboundTrafficPolicy.egressProxy"],
  },
  {
    name: "a mode of the mesh",
    spec: outbound("mode: ALLOW_ANY_DYNAMIC_DNS"),
    faults: ["spec.outboundTrafficPolicy.mode"],
  },
  {
    name: "a proxy without port, a wildcard, a wrong subset",
    spec: outbound('mode: ALLOW_ANY, egressProxy: {host: "*.a.com", subset: a_b}'),
    faults: [
      "spec.outboundTrafficPolicy.egressProxy.host",
      "spec.outboundTrafficPolicy.egressProxy.subset",
      "spec.outboundTrafficPolicy.egressProxy.port",
    ],
  },
  {
    name: "a proxy at port 0",
    spec: outbound("mode: ALLOW_ANY, egressProxy: {host: a.com, port: {}}"),
    faults: ["spec.outboundTrafficPolicy.egressProxy.port.number"],
  },
];

testWebhook({ apiVersion: "networking.istio.io/v1", kind: "Sidecar" }, [
  ...whole,
  ...ingressRows,
  ...endpoints,
  ...tlsRows,
  ...egressRows,
  ...hostRows,
  ...outboundRows,
]);

test("a certificate that is missing is asked for as a file: a Sidecar takes no credentialName", () => {
  const text = `{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: a, namespace: b}, spec: ${tls("mode: SIMPLE")}}`;
  const { issues } = parseResources(text, "mesh.yaml");
  assert.deepEqual(
    issues.map(({ problem }) => problem),
    ["is missing; mode SIMPLE needs it", "is missing; mode SIMPLE needs it"],
  );
});
