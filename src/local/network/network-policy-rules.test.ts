import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkAllowance, PodNetworkRules } from "../../policy/pod-network-rules.ts";
import { networkPolicyChains } from "./network-policy-rules.ts";

const where = {
  addresses: { ipv4: "10.244.0.9", ipv6: "fd00:10:244::9" },
  controlPlane: { address: "10.244.0.1", port: 15_012 },
};
const OPEN: PodNetworkRules = { ingress: "open", egress: "open" };

function allowance(rule: Omit<NetworkAllowance, "policy">): NetworkAllowance {
  return { policy: { kind: "NetworkPolicy", namespace: "shop", name: "api" }, ...rule };
}

/** The rules that one allowance comes to, without its comment. */
function allowed(rule: Omit<NetworkAllowance, "policy">): readonly string[] {
  const [chain] = networkPolicyChains({ ...OPEN, ingress: [allowance(rule)] }, where);
  return (chain?.rules ?? [])
    .filter((text) => text.endsWith(' comment "shop/api"'))
    .map((text) => text.replace(' accept comment "shop/api"', ""));
}

test("a pod that nothing isolates has no chain", () => {
  assert.deepEqual(networkPolicyChains(OPEN, where), []);
});

const TCP_80 = { protocol: "TCP", from: 80, to: 80 } as const;
const cases: [what: string, rule: Omit<NetworkAllowance, "policy">, written: string[]][] = [
  ["everybody, every port", { peers: "anyone", ports: "all" }, ["accept comment"]],
  ["everybody, one port", { peers: "anyone", ports: [TCP_80] }, ["tcp dport 80"]],
  [
    "pods of both families",
    {
      peers: [{ address: "10.244.0.2" }, { address: "10.244.0.3" }, { address: "fd00:10:244::2" }],
      ports: [TCP_80],
    },
    ["ip saddr { 10.244.0.2, 10.244.0.3 } tcp dport 80", "ip6 saddr fd00:10:244::2 tcp dport 80"],
  ],
  [
    "each protocol by itself",
    {
      peers: "anyone",
      ports: [TCP_80, { protocol: "UDP", from: 53, to: 53 }, { protocol: "SCTP", from: 1, to: 9 }],
    },
    ["tcp dport 80", "udp dport 53", "sctp dport 1-9"],
  ],
  [
    "ranges that overlap or touch as one",
    {
      peers: "anyone",
      ports: [
        { protocol: "TCP", from: 90, to: 95 },
        { protocol: "TCP", from: 80, to: 85 },
        { protocol: "TCP", from: 82, to: 89 },
        { protocol: "TCP", from: 443, to: 443 },
      ],
    },
    ["tcp dport { 80-95, 443 }"],
  ],
  [
    "every port of a protocol",
    { peers: "anyone", ports: [{ protocol: "UDP", from: 0, to: 65_535 }] },
    ["meta l4proto udp"],
  ],
  ["no port", { peers: "anyone", ports: [] }, []],
  ["no peer", { peers: [], ports: "all" }, []],
  [
    "a block without its exceptions",
    { peers: [{ cidr: "10.0.0.0/8", except: ["10.244.0.0/16"] }], ports: [TCP_80] },
    ["ip saddr 10.0.0.0/8 ip saddr != 10.244.0.0/16 tcp dport 80"],
  ],
  [
    "a block of nothing",
    { peers: [{ cidr: "10.0.0.0/8", except: ["0.0.0.0/0"] }], ports: "all" },
    [],
  ],
  [
    "peers with ports of their own",
    {
      peers: [
        { address: "10.244.0.2", ports: [{ protocol: "TCP", from: 8080, to: 8080 }] },
        { address: "10.244.0.3", ports: [] },
        { address: "10.244.0.4" },
      ],
      ports: [TCP_80],
    },
    ["ip saddr 10.244.0.2 tcp dport 8080", "ip saddr 10.244.0.4 tcp dport 80"],
  ],
];
for (const [what, rule, written] of cases) {
  if (written[0] === "accept comment") {
    test(`allows ${what}`, () => assert.deepEqual(allowed(rule), ['accept comment "shop/api"']));
  } else test(`allows ${what}`, () => assert.deepEqual(allowed(rule), written));
}

test("ingress is judged before addresses change, on the pod's interface only, and ends in refusal", () => {
  const [chain] = networkPolicyChains({ ...OPEN, ingress: [] }, where);
  assert.equal(chain?.hook?.at, "prerouting");
  assert.ok((chain?.hook?.priority ?? 0) < -100);
  assert.equal(chain?.rules[0], 'iifname != "eth0" accept');
  assert.deepEqual(chain?.rules.slice(-2), [
    "meta l4proto tcp reject with tcp reset",
    "reject with icmpx admin-prohibited",
  ]);
});

test("egress is judged after addresses change; names, control plane and itself stay open", () => {
  const [chain] = networkPolicyChains({ ...OPEN, egress: [] }, where);
  assert.equal(chain?.hook?.at, "output");
  assert.ok((chain?.hook?.priority ?? -100) > -90);
  for (const open of [
    "ip daddr { 127.0.0.0/8, 10.244.0.9 } accept",
    "ip6 daddr { ::1, ::6, fd00:10:244::9 } accept",
    "ip daddr 10.244.0.1 tcp dport 15012 accept",
    "ip daddr 10.244.0.1 udp dport 53 accept",
    "ip6 daddr fd00:10:244::1 tcp dport 53 accept",
  ]) {
    assert.ok(chain?.rules.includes(open), open);
  }
});

test("a policy's name cannot leave its comment", () => {
  const policy = { kind: "NetworkPolicy", namespace: 'a" accept\n', name: "b" } as const;
  const [chain] = networkPolicyChains(
    { ...OPEN, ingress: [{ policy, peers: "anyone", ports: "all" }] },
    where,
  );
  assert.ok(chain?.rules.includes('accept comment "aaccept/b"'));
});

test("an address that is none is written nowhere", () => {
  const peers = [{ address: "10.0.0.1 accept" }];
  assert.throws(
    () => networkPolicyChains({ ...OPEN, ingress: [allowance({ peers, ports: "all" })] }, where),
    { code: "HAUBERK_FABRIC" },
  );
});
