/**
 * NetworkPolicy as the pod's own kernel enforces it, sidecar or none. Inbound is judged before anything is redirected,
 * outbound by the address that a connection really goes to. Every packet of the side that opened a connection is judged,
 * not only the first: a policy that changes binds what stands.
 */
import type {
  NetworkAllowance,
  PeerAddress,
  PeerBlock,
  PodNetworkRules,
  PortRange,
} from "../../policy/pod-network-rules.ts";
import type { IpAddresses, SocketAddress } from "../../policy/workload.ts";
import {
  PASSTHROUGH_SOURCE,
  POD_INTERFACE,
  ROUTER_ADDRESSES,
  ROUTER_PORTS,
} from "./mesh-ranges.ts";
import { checkedAddress, matchRange, type NftChain, nftSet } from "./nft-text.ts";

/** Before addresses are translated, after connections are known. */
const INGRESS_PRIORITY = -150;
const LAST_PORT = 65_535;
/** How neighbours find each other: no connection. */
const NEIGHBOUR_DISCOVERY =
  "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert, mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report }";

const REFUSE = [
  "meta l4proto tcp reject with tcp reset",
  "reject with icmpx admin-prohibited",
] as const;

/** Answers, errors about them, and the news that a connection has ended. */
const OF_OTHERS = [
  "ct direction reply accept",
  "ct state related accept",
  "ct state established tcp flags & rst == rst accept",
  `${NEIGHBOUR_DISCOVERY} accept`,
] as const;

/** @throws FabricError for an address or a range that is none */
export function networkPolicyChains(
  { ingress, egress }: PodNetworkRules,
  where: { readonly addresses: IpAddresses; readonly controlPlane: SocketAddress },
): readonly NftChain[] {
  return [
    ...(ingress === "open" ? [] : [ingressChain(ingress)]),
    ...(egress === "open" ? [] : [egressChain(egress, where)]),
  ];
}

function ingressChain(allowances: readonly NetworkAllowance[]): NftChain {
  return {
    name: "ingress",
    hook: { type: "filter", at: "prerouting", priority: INGRESS_PRIORITY, policy: "accept" },
    rules: [
      `iifname != "${POD_INTERFACE}" accept`,
      ...OF_OTHERS,
      ...allowances.flatMap((allowance) => allow("saddr", allowance)),
      ...REFUSE,
    ],
  };
}

/** Names and the control plane are no peers: a pod that is shut off still has them, and its own loopback. */
function egressChain(
  allowances: readonly NetworkAllowance[],
  where: { readonly addresses: IpAddresses; readonly controlPlane: SocketAddress },
): NftChain {
  return {
    name: "egress",
    hook: { type: "filter", at: "output", priority: 0, policy: "accept" },
    rules: [
      ...OF_OTHERS,
      ...toItself(where.addresses),
      ...toRouter(where.controlPlane),
      ...allowances.flatMap((allowance) => allow("daddr", allowance)),
      ...REFUSE,
    ],
  };
}

function toItself({ ipv4, ipv6 }: IpAddresses): readonly string[] {
  return [
    `ip daddr { 127.0.0.0/8, ${checkedAddress(ipv4).text} } accept`,
    `ip6 daddr { ::1, ${PASSTHROUGH_SOURCE.ipv6}, ${checkedAddress(ipv6).text} } accept`,
  ];
}

function toRouter({ address, port }: SocketAddress): readonly string[] {
  const controlPlane = checkedAddress(address);
  return [
    `${controlPlane.family} daddr ${controlPlane.text} tcp dport ${port} accept`,
    ...[`ip daddr ${ROUTER_ADDRESSES.ipv4}`, `ip6 daddr ${ROUTER_ADDRESSES.ipv6}`].flatMap(
      (router) => [
        `${router} udp dport ${ROUTER_PORTS.names} accept`,
        `${router} tcp dport ${ROUTER_PORTS.names} accept`,
      ],
    ),
  ];
}

function allow(end: "saddr" | "daddr", allowance: NetworkAllowance): readonly string[] {
  const { name, namespace } = allowance.policy;
  const comment = `comment "${`${namespace}/${name}`.replaceAll(/[^\w./-]/g, "").slice(0, 100)}"`;
  return peerGroups(end, allowance).flatMap(({ peers, ports }) =>
    peers.flatMap((peer) =>
      matchPorts(ports).map((port) =>
        [peer, port, "accept", comment].filter((part) => part !== "").join(" "),
      ),
    ),
  );
}

/** Peers that may use the same ports. */
interface PeerGroup {
  /** What matches them; an empty text matches everybody. */
  readonly peers: readonly string[];
  readonly ports: NetworkAllowance["ports"];
}

function peerGroups(
  end: "saddr" | "daddr",
  { peers, ports }: NetworkAllowance,
): readonly PeerGroup[] {
  if (peers === "anyone") return [{ peers: [""], ports }];
  const blocks = peers.filter((peer): peer is PeerBlock => "cidr" in peer);
  const groups = new Map<string, PeerAddress[]>();
  for (const peer of peers) {
    if ("cidr" in peer) continue;
    const key = JSON.stringify(peer.ports ?? null);
    groups.set(key, [...(groups.get(key) ?? []), peer]);
  }
  return [
    { peers: blocks.flatMap((block) => matchRange(end, block) ?? []), ports },
    ...[...groups.values()].map((addresses) => ({
      peers: matchAddresses(end, addresses),
      ports: addresses[0]?.ports ?? ports,
    })),
  ];
}

function matchAddresses(end: "saddr" | "daddr", peers: readonly PeerAddress[]): readonly string[] {
  const checked = peers.map(({ address }) => checkedAddress(address));
  return (["ip", "ip6"] as const).flatMap((wanted) => {
    const texts = checked.filter(({ family }) => family === wanted).map(({ text }) => text);
    return texts.length === 0 ? [] : [`${wanted} ${end} ${nftSet(texts)}`];
  });
}

/** @returns what matches them, one for each protocol; an empty text matches everything */
function matchPorts(ports: NetworkAllowance["ports"]): readonly string[] {
  if (ports === "all") return [""];
  return (["TCP", "UDP", "SCTP"] as const).flatMap((protocol) => {
    const ranges = mergeRanges(ports.filter((range) => range.protocol === protocol));
    if (ranges.length === 0) return [];
    const name = protocol.toLowerCase();
    const all = ranges.some(({ from, to }) => from <= 0 && to >= LAST_PORT);
    if (all) return [`meta l4proto ${name}`];
    const texts = ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
    return [`${name} dport ${nftSet(texts)}`];
  });
}

/** Ranges of a set must not touch each other. */
function mergeRanges(ranges: readonly PortRange[]): readonly { from: number; to: number }[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((one, other) => one.from - other.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else if (from <= to) merged.push({ from, to });
  }
  return merged;
}
