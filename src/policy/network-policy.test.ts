import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import type { Labels } from "../api/resource.ts";
import { ofKind } from "./mesh-snapshot.ts";
import { labelsOfNamespace, type NetworkPeer, type NetworkPod } from "./network-peer.ts";
import { judgeNetworkPolicy, type NetworkConnection } from "./network-policy.ts";
import type { NetworkRefusal } from "./workload-view.ts";

const policiesOf = (...specs: readonly string[]) =>
  ofKind(
    resourcesOf(
      specs
        .map(
          (spec, index) =>
            `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p${index}, namespace: shop}\nspec: ${spec}`,
        )
        .join("\n---\n"),
    ),
    "NetworkPolicy",
  );

const pod = (
  namespace: string,
  name: string,
  { labels = {}, address = "10.244.0.9" }: { labels?: Labels; address?: string } = {},
): NetworkPod => ({
  kind: "pod",
  namespace,
  name,
  labels: { app: name, ...labels },
  namespaceLabels: labelsOfNamespace(namespace, { team: namespace }),
  address,
  ports: [
    { name: "web", port: 8080, protocol: "TCP" },
    { name: "web-udp", port: 8081, protocol: "UDP" },
  ],
});
const outside = (address: string): NetworkPeer => ({ kind: "outside", address });

const web = pod("shop", "web", { address: "10.244.0.2" });
const api = pod("shop", "api", { address: "10.244.0.3" });
const monitor = pod("ops", "monitor", { address: "10.244.0.4" });

const judge = (specs: readonly string[], connection: Partial<NetworkConnection>) =>
  judgeNetworkPolicy(policiesOf(...specs), {
    source: web,
    destination: api,
    port: 8080,
    protocol: "TCP",
    ...connection,
  });
const directionOf = (judged: NetworkRefusal | "allowed"): string =>
  judged === "allowed" ? judged : judged.direction;

const ALL = "{podSelector: {}, policyTypes: [Ingress]}";
const allowing = (from: string, ports = ""): string =>
  `{podSelector: {matchLabels: {app: api}}, ingress: [{from: [${from}]${ports}}]}`;
const opening = (ports: string): string => `{podSelector: {}, ingress: [{ports: [${ports}]}]}`;
const leaving = (to: string): string =>
  `{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{${to}}]}`;

const rows: [
  what: string,
  specs: readonly string[],
  Partial<NetworkConnection>,
  judged: "allowed" | "ingress" | "egress",
][] = [
  ["a pod that no policy selects is open", [allowing("")], { destination: web }, "allowed"],
  ["an empty pod selector isolates the namespace", [ALL], {}, "ingress"],
  ["and no pod of any other", [ALL], { destination: monitor }, "allowed"],
  [
    "nor does ingress isolation keep a pod in",
    [ALL],
    { destination: outside("1.2.3.4") },
    "allowed",
  ],
  ["what one policy allows another need not", [ALL, allowing("{podSelector: {}}")], {}, "allowed"],
  [
    "a rule without from admits everybody",
    [opening("")],
    { source: outside("1.2.3.4") },
    "allowed",
  ],
  [
    "a pod selector means the own namespace",
    [allowing("{podSelector: {}}")],
    { source: monitor },
    "ingress",
  ],
  [
    "a namespace selector means all its pods",
    [allowing("{namespaceSelector: {matchLabels: {team: ops}}}")],
    { source: monitor },
    "allowed",
  ],
  ["and only those", [allowing("{namespaceSelector: {matchLabels: {team: ops}}}")], {}, "ingress"],
  [
    "a namespace has its name as a label",
    [allowing("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}")],
    { source: monitor },
    "allowed",
  ],
  [
    "both selectors in one entry must hold",
    [allowing("{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}")],
    { source: monitor },
    "ingress",
  ],
  [
    "of two entries one is enough",
    [allowing("{namespaceSelector: {}}, {podSelector: {matchLabels: {app: web}}}")],
    { source: monitor },
    "allowed",
  ],
  [
    "no selector means an address outside",
    [allowing("{namespaceSelector: {}}, {podSelector: {}}")],
    { source: outside("10.244.0.2") },
    "ingress",
  ],
  [
    "a block means addresses outside",
    [allowing("{ipBlock: {cidr: 203.0.113.0/24}}")],
    { source: outside("203.0.113.9") },
    "allowed",
  ],
  [
    "less what is carved out",
    [allowing("{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.8/29]}}")],
    { source: outside("203.0.113.9") },
    "ingress",
  ],
  [
    "what one block leaves out another may hold",
    [
      allowing(
        "{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.8/29]}}, {ipBlock: {cidr: 203.0.113.9/32}}",
      ),
    ],
    { source: outside("203.0.113.9") },
    "allowed",
  ],
  ["a block means pods too", [allowing("{ipBlock: {cidr: 10.244.0.0/16}}")], {}, "allowed"],
  [
    "a block of one family holds none of the other",
    [allowing("{ipBlock: {cidr: 0.0.0.0/0}}")],
    { source: outside("fd00::1") },
    "ingress",
  ],
  [
    "a block may be IPv6",
    [allowing("{ipBlock: {cidr: 'fd00::/8'}}")],
    { source: outside("fd00::1") },
    "allowed",
  ],
  ["a port by number", [opening("{port: 8080}")], {}, "allowed"],
  ["and no other", [opening("{port: 8080}")], { port: 80 }, "ingress"],
  ["a port by its name on the callee", [opening("{port: web}")], {}, "allowed"],
  ["a name that the callee does not have", [opening("{port: grpc}")], {}, "ingress"],
  ["a name belongs to its protocol", [opening("{port: web-udp}")], { port: 8081 }, "ingress"],
  [
    "which may be UDP",
    [opening("{port: web-udp, protocol: UDP}")],
    { port: 8081, protocol: "UDP" },
    "allowed",
  ],
  [
    "a name means nothing at an address outside",
    [leaving("ports: [{port: web}]")],
    { destination: outside("1.2.3.4") },
    "egress",
  ],
  ["the first port of a range", [opening("{port: 8080, endPort: 8090}")], {}, "allowed"],
  ["the last port of a range", [opening("{port: 8000, endPort: 8080}")], {}, "allowed"],
  ["the port after a range", [opening("{port: 8000, endPort: 8079}")], {}, "ingress"],
  [
    "a protocol without port is every port of it",
    [opening("{protocol: UDP}")],
    { port: 9, protocol: "UDP" },
    "allowed",
  ],
  ["and of no other protocol", [opening("{protocol: UDP}")], {}, "ingress"],
  ["SCTP is not TCP", [opening("{protocol: SCTP, port: 8080}")], {}, "ingress"],
  [
    "peers and ports of one rule must both hold",
    [allowing("{podSelector: {}}", ", ports: [{port: 1}]")],
    {},
    "ingress",
  ],
  [
    "peers of one rule do not borrow ports of another",
    [
      "{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 1}]}, {from: [{namespaceSelector: {matchLabels: {team: ops}}}]}]}",
    ],
    {},
    "ingress",
  ],
  [
    "egress isolation keeps a pod in",
    [leaving("to: [{ipBlock: {cidr: 1.2.3.4/32}}]")],
    {},
    "egress",
  ],
  [
    "egress to a pod of another namespace",
    [leaving("to: [{namespaceSelector: {}}]")],
    { destination: monitor },
    "allowed",
  ],
  ["egress by the callee's port name", [leaving("ports: [{port: web}]")], {}, "allowed"],
  ["both ends must agree", [leaving(""), ALL], {}, "ingress"],
  [
    "the caller's end is told first",
    ["{podSelector: {}, policyTypes: [Ingress, Egress]}"],
    {},
    "egress",
  ],
  [
    "a pod may always talk to itself",
    ["{podSelector: {}, policyTypes: [Ingress, Egress]}"],
    { source: api },
    "allowed",
  ],
  [
    "but not to another that is like it",
    ["{podSelector: {}, policyTypes: [Ingress, Egress]}"],
    { source: { ...api, name: "api-1" } },
    "egress",
  ],
];
for (const [what, specs, connection, expected] of rows) {
  test(`NetworkPolicy: ${what}`, () => {
    assert.equal(directionOf(judge(specs, connection)), expected);
  });
}

test("a refusal names every policy that isolates the pod, and no other", () => {
  const elsewhere = "{podSelector: {matchLabels: {app: other}}, policyTypes: [Ingress]}";
  const refusal = judge([ALL, elsewhere, allowing("{podSelector: {matchLabels: {app: x}}}")], {});
  assert.deepEqual(refusal, {
    direction: "ingress",
    policies: [
      { kind: "NetworkPolicy", namespace: "shop", name: "p0" },
      { kind: "NetworkPolicy", namespace: "shop", name: "p2" },
    ],
  });
});
