import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DEFAULT_INTERCEPTION,
  type InterceptionSettings,
} from "../../api/interception-settings.ts";
import { type Exemption, interceptionChains } from "./interception-rules.ts";

const MARK: Exemption = { by: "mark", mark: 1337 };

function chain(
  name: string,
  settings: Partial<InterceptionSettings> = {},
  exemption: Exemption = MARK,
): readonly string[] | undefined {
  const chains = interceptionChains({
    interception: { ...DEFAULT_INTERCEPTION, ...settings },
    exemption,
    addresses: { ipv4: "10.244.0.2", ipv6: "fd00:10:244::2" },
    controlPlane: { address: "10.244.0.1", port: 15_012 },
    adminPort: 15_000,
  });
  return chains.find((one) => one.name === name)?.rules;
}

const inbound: [rule: string, settings: Partial<InterceptionSettings>, rules: string[]][] = [
  [
    "INJ-24, INJ-29: every port, since no agent and no tunnel listens here",
    {},
    ["meta l4proto tcp redirect to :15006"],
  ],
  [
    "INJ-22 excludeInboundPorts",
    { excludedInboundPorts: [22, 15_020] },
    ["tcp dport 22 return", "meta l4proto tcp redirect to :15006"],
  ],
  [
    "INJ-21 includeInboundPorts",
    { inboundPorts: [80, 8080] },
    ["tcp dport { 80, 8080 } redirect to :15006"],
  ],
  ["INJ-21 an empty list captures nothing", { inboundPorts: [] }, []],
  [
    "INJ-22 an exclusion wins over a list",
    { inboundPorts: [80, 81], excludedInboundPorts: [80] },
    ["tcp dport 81 redirect to :15006"],
  ],
];
for (const [rule, settings, rules] of inbound) {
  test(`inbound: ${rule}`, () => assert.deepEqual(chain("captured-inbound", settings), rules));
}

test("inbound: only what comes over the pod's interface", () => {
  assert.deepEqual(chain("inbound"), ['iifname "eth0" jump captured-inbound']);
});

const own = [
  'meta mark 1337 oifname "lo" ip saddr != 127.0.0.6 ip daddr 10.244.0.2 jump captured-inbound',
  'meta mark 1337 oifname "lo" ip6 saddr != ::6 ip6 daddr fd00:10:244::2 jump captured-inbound',
  "meta mark 1337 return",
];
const first = "ip daddr 10.244.0.1 tcp dport 15012 return";
const names = ["udp dport 53 redirect to :15053", "tcp dport 53 redirect to :15053"];
const lo = 'oifname "lo" return';
const all = "meta l4proto tcp redirect to :15001";

const outbound: [rule: string, settings: Partial<InterceptionSettings>, rules: string[]][] = [
  ["INJ-20, INJ-28 by default", {}, [first, ...own, lo, ...names, all]],
  [
    "INJ-22 excludeOutboundPorts come before everything else of the application",
    { excludedOutboundPorts: [5432, 3306] },
    [first, ...own, "tcp dport { 5432, 3306 } return", lo, ...names, all],
  ],
  [
    "INJ-23 excludeOutboundIPRanges, of either family",
    { excludedOutboundRanges: ["192.0.2.0/24", "2001:db8::/32"] },
    [
      first,
      ...own,
      lo,
      ...names,
      "ip daddr 192.0.2.0/24 return",
      "ip6 daddr 2001:db8::/32 return",
      all,
    ],
  ],
  [
    "INJ-23 includeOutboundIPRanges",
    { outboundRanges: ["10.0.0.0/8", "::/0"] },
    [
      first,
      ...own,
      lo,
      ...names,
      "ip daddr 10.0.0.0/8 meta l4proto tcp redirect to :15001",
      "meta nfproto ipv6 meta l4proto tcp redirect to :15001",
    ],
  ],
  ["INJ-23 no range captures names only", { outboundRanges: [] }, [first, ...own, lo, ...names]],
  [
    "INJ-22 includeOutboundPorts, whatever the address",
    { outboundRanges: [], includedOutboundPorts: [80, 443] },
    [first, ...own, lo, ...names, "tcp dport { 80, 443 } redirect to :15001"],
  ],
];
for (const [rule, settings, rules] of outbound) {
  test(`outbound: ${rule}`, () => assert.deepEqual(chain("outbound", settings), rules));
}

test("INJ-20 interceptionMode NONE leads nothing to the sidecar, and still guards it", () => {
  for (const name of ["inbound", "outbound", "captured-inbound"]) {
    assert.equal(chain(name, { mode: "NONE" }), undefined);
  }
  assert.notEqual(chain("own-ports", { mode: "NONE" }), undefined);
});

test("INJ-26 the sidecar is known by its uid where the mesh is root's", () => {
  const byUid = chain("outbound", {}, { by: "uid", uid: 1337 });
  assert.deepEqual(
    byUid?.slice(1, 4),
    own.map((rule) => rule.replace("meta mark 1337", "meta skuid 1337")),
  );
});

test("the sidecar's administration is for whoever has the mark, or its uid", () => {
  const refuse = 'oifname "lo" ct direction original tcp dport 15000 reject with tcp reset';
  assert.deepEqual(chain("own-ports"), ["meta mark 1337 accept", refuse]);
  assert.deepEqual(chain("own-ports", {}, { by: "uid", uid: 1337 }), [
    "meta mark 1337 accept",
    "meta skuid 1337 accept",
    refuse,
  ]);
});
