import assert from "node:assert/strict";
import { test } from "node:test";
import { webhookSayings } from "../../../test/kit/webhook-sayings.ts";
import { testWebhook, type WebhookRow } from "../../../test/kit/webhook-table.ts";

const SERVICE_ENTRY = { apiVersion: "networking.istio.io/v1", kind: "ServiceEntry" };
const WEB = "{name: web, number: 80, protocol: HTTP}";
const TCP = "{name: tcp, number: 90, protocol: TCP}";
const entry = (fields: string, port = WEB): string =>
  `{hosts: [a.com], ports: [${port}], ${fields}}`;
const withPort = (port: string): string => `{hosts: [a.com], ports: [${port}], resolution: DNS}`;
const dynamic = (fields: string, port = WEB): string =>
  `{hosts: ["*.a.com"], resolution: DYNAMIC_DNS, ports: [${port}], ${fields}}`;
const endpoint = (fields: string): string =>
  entry(`resolution: STATIC, endpoints: [{address: 1.1.1.1, ${fields}}]`);

const hosts: readonly WebhookRow[] = [
  { name: "no port is needed", spec: "{hosts: [a.com]}" },
  { name: "a short name is a host", spec: "{hosts: [shop]}" },
  { name: "capitals and a dot at the end", spec: "{hosts: [A.Com.]}" },
  { name: "no host", spec: "{hosts: []}", faults: ["spec.hosts"] },
  { name: "every host", spec: '{hosts: [a.com, "*"]}', faults: ["spec.hosts[1]"] },
  { name: "an address is no host", spec: "{hosts: [1.2.3.4]}", faults: ["spec.hosts[0]"] },
  { name: "a broken label", spec: "{hosts: [-a.com]}", faults: ["spec.hosts[0]"] },
  {
    name: "a wildcard inside",
    spec: '{hosts: ["a.*.com"]}',
    faults: ["spec.hosts[0]"],
    warnings: ["spec.hosts[0]"],
  },
  { name: "a partial wildcard", spec: '{hosts: ["*a.com"]}', warnings: ["spec.hosts[0]"] },
  { name: "a partial wildcard, looked up as asked for", spec: dynamic("").replace("*.a", "*a") },
];

const addresses: readonly WebhookRow[] = [
  { name: "addresses", spec: entry("addresses: [10.0.0.0/8, 1.1.1.1, '2001:db8::/32']") },
  {
    name: "no addresses",
    spec: entry("addresses: [10.0.0.0/33, a.com, 1.1.1.1/1/1]"),
    faults: ["spec.addresses[0]", "spec.addresses[1]", "spec.addresses[2]"],
  },
  {
    name: "a range of a static service",
    spec: entry("addresses: [10.0.0.0/8], resolution: STATIC"),
  },
  {
    name: "a range of a service that is looked up",
    spec: entry("addresses: [10.0.0.0/8], resolution: DNS"),
    faults: ["spec.addresses"],
  },
];

const ports: readonly WebhookRow[] = [
  { name: "a port behind the port", spec: withPort("{name: a, number: 80, targetPort: 81}") },
  {
    name: "an unknown protocol, no name, port 0, and 70000 behind it",
    spec: withPort("{protocol: FOO, number: 0, targetPort: 70000}"),
    faults: [
      "spec.ports[0].number",
      "spec.ports[0].name",
      "spec.ports[0].protocol",
      "spec.ports[0].targetPort",
    ],
  },
  {
    name: "the same name and number twice",
    spec: withPort(`${WEB}, ${WEB}`),
    faults: ["spec.ports[1].name", "spec.ports[1].number"],
  },
  { name: "a null port", spec: withPort("null"), faults: ["spec.ports[0]"] },
  { name: "TCP with an address", spec: entry("addresses: [1.1.1.1]", TCP) },
  { name: "TCP with an allocated address", spec: withPort(TCP) },
  {
    name: "TCP without resolution has none",
    spec: entry("", TCP),
    warnings: ["spec.ports[0].protocol"],
  },
  {
    name: "TCP whose allocation is turned off",
    spec: withPort(TCP),
    labels: '{networking.istio.io/enable-autoallocate-ip: "False"}',
    warnings: ["spec.ports[0].protocol"],
  },
  {
    name: "several hosts on a port that does not tell them apart",
    spec: `{hosts: [a.com, b.com], ports: [${TCP}], resolution: DNS}`,
    faults: ["spec.ports[0].protocol"],
  },
  {
    name: "several hosts with one address",
    spec: "{hosts: [a.com, b.com], addresses: [1.1.1.1], resolution: DNS, ports: [{name: s, number: 1, protocol: TLS}]}",
    warnings: ["spec.ports[0].protocol"],
  },
];

const resolutions: readonly WebhookRow[] = [
  { name: "an unknown one", spec: entry("resolution: MDNS"), faults: ["spec.resolution"] },
  {
    name: "NONE with endpoints",
    spec: entry("endpoints: [{address: 1.1.1.1}]"),
    faults: ["spec.endpoints"],
  },
  {
    name: "NONE with a selector",
    spec: entry("workloadSelector: {labels: {a: b}}"),
    warnings: ["spec.workloadSelector"],
  },
  {
    name: "STATIC with the name of a host",
    spec: entry("resolution: STATIC, endpoints: [{address: b.com}]"),
    faults: ["spec.endpoints[0].address"],
  },
  {
    name: "STATIC without address, in a network",
    spec: entry("resolution: STATIC, endpoints: [{network: east}]"),
    warnings: ["spec.endpoints[0].network"],
  },
  {
    name: "a socket of a service with two ports, and ports of its own",
    spec: entry(
      "resolution: STATIC, endpoints: [{address: unix:///a, ports: {web: 1}}]",
      `${WEB}, ${TCP}`,
    ),
    faults: ["spec.endpoints[0].ports", "spec.endpoints[0].address"],
  },
  { name: "DNS", spec: entry("resolution: DNS, endpoints: [{address: b.com, ports: {web: 1}}]") },
  {
    name: "DNS of a wildcard",
    spec: '{hosts: ["*.a.com"], resolution: DNS}',
    faults: ["spec.hosts[0]"],
  },
  {
    name: "DNS, wildcard",
    spec: '{hosts: ["*.a.com"], resolution: DNS, endpoints: [{address: b.com}]}',
  },
  {
    name: "DNS of a socket",
    spec: entry("resolution: DNS, endpoints: [{address: unix:///a}]"),
    faults: ["spec.endpoints[0].address"],
  },
  {
    name: "DNS_ROUND_ROBIN with two endpoints",
    spec: entry("resolution: DNS_ROUND_ROBIN, endpoints: [{address: b.com}, {address: c.com}]"),
    faults: ["spec.endpoints"],
  },
];

const endpoints: readonly WebhookRow[] = [
  { name: "ports and labels", spec: endpoint("ports: {web: 8080}, labels: {a.b/c: d}") },
  {
    name: "a port that the service does not have",
    spec: endpoint("ports: {other: 8080}"),
    faults: ["spec.endpoints[0].ports.other"],
  },
  {
    name: "no port number",
    spec: endpoint("ports: {web: 65536}"),
    faults: ["spec.endpoints[0].ports.web"],
  },
  {
    name: "no label",
    spec: endpoint("labels: {-a: b}"),
    faults: ["spec.endpoints[0].labels.-a"],
  },
];

const dynamicRows: readonly WebhookRow[] = [
  { name: "DYNAMIC_DNS", spec: dynamic("location: MESH_INTERNAL") },
  {
    name: "DYNAMIC_DNS, behind a waypoint",
    spec: dynamic("location: MESH_INTERNAL"),
    labels: "{istio.io/use-waypoint: w}",
    faults: ["spec.location"],
  },
  {
    name: "DYNAMIC_DNS, behind none",
    spec: dynamic("location: MESH_INTERNAL"),
    labels: "{istio.io/use-waypoint: None}",
  },
  {
    name: "DYNAMIC_DNS of one host",
    spec: "{hosts: [a.com], resolution: DYNAMIC_DNS}",
    faults: ["spec.hosts[0]"],
  },
  {
    name: "DYNAMIC_DNS with addresses and endpoints",
    spec: dynamic("addresses: [1.1.1.1], endpoints: [{address: b.com}]"),
    faults: ["spec.addresses", "spec.endpoints"],
  },
  {
    name: "DYNAMIC_DNS of HTTPS",
    spec: dynamic("", "{name: s, number: 1, protocol: HTTPS}"),
    faults: ["spec.ports[0].protocol"],
  },
];

const scope: readonly WebhookRow[] = [
  { name: "VAL-65 to nobody", spec: entry('exportTo: ["~"]') },
  {
    name: "VAL-65 to nobody and one",
    spec: entry('exportTo: ["~", a]'),
    faults: ["spec.exportTo"],
  },
  {
    name: "VAL-65 to its own namespace twice",
    spec: entry('exportTo: [".", shop]'),
    faults: ["spec.exportTo[1]"],
  },
  {
    name: "VAL-4 a selector without labels",
    spec: "{hosts: [a.com], resolution: DNS, workloadSelector: {}}",
    warnings: ["spec.workloadSelector"],
  },
  {
    name: "VAL-3 a wildcard in a selector, after which nothing else is looked at",
    spec: "{hosts: [], workloadSelector: {labels: {a: 'b*'}}}",
    faults: ["spec.workloadSelector.labels.a"],
  },
  {
    name: "a selector and endpoints",
    spec: entry(
      "resolution: STATIC, workloadSelector: {labels: {a: b}}, endpoints: [{address: 1.1.1.1}]",
    ),
    faults: ["spec.endpoints"],
  },
];

testWebhook(SERVICE_ENTRY, [
  ...hosts,
  ...addresses,
  ...ports,
  ...resolutions,
  ...endpoints,
  ...dynamicRows,
  ...scope,
]);

test("ServiceEntry: a fault says what is wrong, and what was expected", () => {
  const text = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: a, namespace: shop}
spec:
  hosts: ["*.example.com"]
  resolution: DNS
  ports: [{name: web, number: 0, protocol: HTTP}]
`;
  assert.deepEqual(webhookSayings(text).faults, [
    'spec.hosts[0]: "*.example.com" cannot be looked up; expected the full name of a host, or endpoints',
    "spec.ports[0].number: is 0; expected a number from 1 to 65535",
  ]);
});
