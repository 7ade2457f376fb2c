import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { cidrContains, parseCidr, parseIpAddress } from "../api/cidr.ts";
import type {
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicyRule,
  NetworkProtocol,
} from "../api/network-policy.ts";
import type { Labels } from "../api/resource.ts";
import { type NetworkPeer, networkPod } from "./network-peer.ts";
import { judgeNetworkPolicy } from "./network-policy.ts";
import { type NetworkSnapshot, resolvePodNetworkRules } from "./network-rules.ts";
import type { NetworkAllowance, PodNetworkRules, PortRange } from "./pod-network-rules.ts";
import type { Workload } from "./workload.ts";

/** Two namespaces of two kinds of pods; names of ports mean another number in each namespace. */
const PODS: readonly Workload[] = ["x", "y"].flatMap((namespace, index) =>
  ["a", "b", "c"].map((name, item) => ({
    namespace,
    name,
    uid: name,
    owner: name,
    ownerKind: "Deployment" as const,
    labels: { pod: name, ...(item > 0 && { tier: "back" }) },
    serviceAccount: "default",
    addresses: {
      ipv4: `10.244.${index}.${item + 2}`,
      ipv6: `fd00:10:244::${index}:${item + 2}`,
    },
    injected: false,
    ready: true,
    ports: [workloadPort("web", 80 + index), ...(item === 0 ? [workloadPort("admin", 90)] : [])],
    outboundListeners: [],
  })),
);
const NAMESPACE_LABELS = new Map<string, Labels>([["y", { env: "prod" }]]);
const OUTSIDE = ["203.0.113.5", "2001:db8::5"];
const PORTS = [79, 80, 81, 82, 90];
const PROTOCOLS: readonly NetworkProtocol[] = ["TCP", "UDP", "SCTP"];

function workloadPort(name: string, containerPort: number): Workload["ports"][number] {
  const address = { address: "10.244.0.1", port: containerPort };
  return { name, containerPort, listen: address, application: address };
}

const line = fc.constant(1);
const labels = fc.constantFrom<Labels>({}, { pod: "a" }, { tier: "back" }, { pod: "z" });
const expressions = fc.constantFrom(
  [],
  [{ key: "pod", operator: "In" as const, values: ["a", "c"] }],
  [{ key: "tier", operator: "DoesNotExist" as const, values: [] }],
);
const podSelector = fc.record({ matchLabels: labels, matchExpressions: expressions });
const namespaceSelector = fc.record({
  matchLabels: fc.constantFrom<Labels>({}, { env: "prod" }, { "kubernetes.io/metadata.name": "x" }),
  matchExpressions: fc.constant([]),
});
const pods = fc.constant("pods" as const);
const peer: fc.Arbitrary<NetworkPolicyPeer> = fc.oneof(
  fc.record({ kind: pods, podSelector, line }),
  fc.record({ kind: pods, namespaceSelector, line }),
  fc.record({ kind: pods, podSelector, namespaceSelector, line }),
  fc.constantFrom<NetworkPolicyPeer>(
    { kind: "block", cidr: "0.0.0.0/0", except: ["10.244.1.0/24", "203.0.113.0/30"], line: 1 },
    { kind: "block", cidr: "::/0", except: ["fd00:10:244::1:0/112"], line: 1 },
    { kind: "block", cidr: "10.244.0.3/32", except: [], line: 1 },
    { kind: "block", cidr: "2001:db8::/32", except: [], line: 1 },
  ),
);
const protocol = fc.constantFrom(...PROTOCOLS);
const namedPort = fc.record({
  protocol: fc.constantFrom("TCP" as const, "TCP" as const, "UDP" as const),
  port: fc.constantFrom("web", "web", "admin", "none"),
  line,
});
const port: fc.Arbitrary<NetworkPolicyPort> = fc.oneof(
  fc.record({ protocol, line }),
  fc.record({ protocol, port: fc.constantFrom(80, 90), line }),
  { weight: 3, arbitrary: namedPort },
  fc.record({ protocol, port: fc.constant(80), endPort: fc.constantFrom(80, 81, 65_535), line }),
);
const rule: fc.Arbitrary<NetworkPolicyRule> = fc.record({
  peers: fc.array(peer, { maxLength: 3 }),
  ports: fc.array(port, { maxLength: 3 }),
  line,
});
const policy: fc.Arbitrary<NetworkPolicy> = fc
  .record({
    namespace: fc.constantFrom("x", "y"),
    name: fc.uuid(),
    podSelector,
    directions: fc.subarray(["ingress", "egress"] as const, { minLength: 1 }),
    ingress: fc.array(rule, { maxLength: 2 }),
    egress: fc.array(rule, { minLength: 1, maxLength: 2 }),
  })
  .map(({ namespace, name, ...spec }) => ({
    kind: "NetworkPolicy",
    meta: {
      apiVersion: "networking.k8s.io/v1",
      namespace,
      name,
      labels: {},
      annotations: {},
      source: { file: "p.yaml", line: 1 },
    },
    ...spec,
  }));

interface Packet {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: NetworkProtocol;
}

/** As a kernel would: by addresses and numbers alone. */
function letThrough(
  { caller, callee }: { caller: PodNetworkRules | "none"; callee: PodNetworkRules | "none" },
  packet: Packet,
): boolean {
  const leaves = caller === "none" || permits(caller.egress, { ...packet, peer: packet.to });
  const enters = callee === "none" || permits(callee.ingress, { ...packet, peer: packet.from });
  return leaves && enters;
}

function permits(
  allowances: "open" | readonly NetworkAllowance[],
  packet: Packet & { readonly peer: string },
): boolean {
  if (allowances === "open") return true;
  return allowances.some(({ peers, ports }) => {
    if (peers === "anyone") return covers(ports, packet);
    return peers.some((each) => {
      if ("cidr" in each) {
        const isInside = within(each.cidr, packet.peer);
        const isCarvedOut = each.except.some((range) => within(range, packet.peer));
        return isInside && !isCarvedOut && covers(ports, packet);
      }
      return each.address === packet.peer && covers(each.ports ?? ports, packet);
    });
  });
}

function covers(
  ports: "all" | readonly PortRange[],
  { port: asked, protocol: by }: Packet,
): boolean {
  if (ports === "all") return true;
  return ports.some((each) => each.protocol === by && each.from <= asked && asked <= each.to);
}

function within(range: string, text: string): boolean {
  const [cidr, address] = [parseCidr(range), parseIpAddress(text)];
  assert.ok(cidr && address);
  return cidrContains(cidr, address);
}

interface End {
  readonly workload?: Workload;
  readonly peer: NetworkPeer;
}

function endsOf(snapshot: NetworkSnapshot, family: "ipv4" | "ipv6"): readonly End[] {
  const address = OUTSIDE[family === "ipv4" ? 0 : 1] ?? "";
  return [
    ...PODS.map((workload) => ({ workload, peer: networkPod(snapshot, { workload, family }) })),
    { peer: { kind: "outside", address } },
  ];
}

test("law: the rules of both ends let through what the policies allow, and nothing else", () => {
  const seen = { allowed: 0, refused: 0, named: 0 };
  fc.assert(
    fc.property(fc.array(policy, { minLength: 1, maxLength: 4 }), (policies) => {
      const snapshot: NetworkSnapshot = {
        workloads: PODS,
        namespaceLabels: NAMESPACE_LABELS,
        networkPolicies: new Map(
          ["x", "y"].map((name) => [name, policies.filter(({ meta }) => meta.namespace === name)]),
        ),
      };
      const rules = new Map(
        PODS.map((workload) => [workload, resolvePodNetworkRules(snapshot, workload)]),
      );
      const rulesOf = ({ workload }: End) => (workload && rules.get(workload)) ?? "none";
      for (const family of ["ipv4", "ipv6"] as const) {
        const ends = endsOf(snapshot, family);
        for (const [source, destination] of ends.flatMap((one) =>
          ends.filter((other) => other !== one).map((other) => [one, other] as const),
        )) {
          for (const asked of PORTS.flatMap((each) =>
            PROTOCOLS.map((by) => ({ port: each, protocol: by })),
          )) {
            const judged = judgeNetworkPolicy(policies, {
              source: source.peer,
              destination: destination.peer,
              ...asked,
            });
            const ruled = letThrough(
              { caller: rulesOf(source), callee: rulesOf(destination) },
              { from: source.peer.address, to: destination.peer.address, ...asked },
            );
            assert.equal(ruled, judged === "allowed");
            seen[ruled ? "allowed" : "refused"] += 1;
          }
        }
      }
      if (/"address":"[^"]+","ports"/.test(JSON.stringify([...rules.values()]))) seen.named += 1;
    }),
    { numRuns: 120 },
  );
  assert.ok(seen.allowed > 1000 && seen.refused > 1000 && seen.named > 0, JSON.stringify(seen));
});

test("the order of policies does not matter", () => {
  fc.assert(
    fc.property(fc.array(policy, { minLength: 2, maxLength: 4 }), (policies) => {
      const verdicts = [policies, policies.toReversed()].map((order) =>
        PODS.flatMap((from) =>
          PODS.map((to) => {
            const snapshot = { namespaceLabels: NAMESPACE_LABELS };
            const judged = judgeNetworkPolicy(order, {
              source: networkPod(snapshot, { workload: from }),
              destination: networkPod(snapshot, { workload: to }),
              port: 80,
              protocol: "TCP",
            });
            return judged === "allowed" ? judged : judged.direction;
          }),
        ),
      );
      assert.deepEqual(verdicts[1], verdicts[0]);
    }),
    { numRuns: 100 },
  );
});

const SHOP = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: a, image: x, ports: [{name: web, containerPort: 8080}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  ingress:
  - from: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]
    ports: [{port: web}, {port: 9000, endPort: 9010, protocol: UDP}]
  - ports: [{port: nobody-has-this}]
  - {}
  - from: [{podSelector: {matchLabels: {app: nobody}}}]
`;

test("rules hold the addresses of pods in both families, blocks, and the numbers of named ports", () => {
  const planned = snapshotOf(SHOP);
  const [api] = planned.workloads;
  assert.ok(api);
  const addresses = { ipv4: "10.244.0.2", ipv6: "fd00:10:244::2" };
  const snapshot = { ...planned, workloads: [{ ...api, addresses }] };
  const policyRef = { kind: "NetworkPolicy", namespace: "shop", name: "api" };
  assert.deepEqual(resolvePodNetworkRules(snapshot, { ...api, addresses }), {
    ingress: [
      {
        policy: policyRef,
        peers: [
          { address: "10.244.0.2" },
          { address: "fd00:10:244::2" },
          { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] },
        ],
        ports: [
          { protocol: "TCP", from: 8080, to: 8080 },
          { protocol: "UDP", from: 9000, to: 9010 },
        ],
      },
      { policy: policyRef, peers: "anyone", ports: "all" },
    ],
    egress: "open",
  });
});

test("a pod that has no address yet adds none: not the one of the machine's loopback either", () => {
  const planned = snapshotOf(SHOP);
  const [unplaced] = planned.workloads;
  assert.ok(unplaced && unplaced.addresses === undefined);
  const api = { ...unplaced, addresses: { ipv4: "10.244.0.2", ipv6: "fd00:10:244::2" } };
  const rulesAmong = (workloads: readonly Workload[]): PodNetworkRules =>
    resolvePodNetworkRules({ ...planned, workloads }, api);
  assert.deepEqual(rulesAmong([api, { ...unplaced, name: "api-1" }]), rulesAmong([api]));
});
