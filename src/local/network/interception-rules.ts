/**
 * What leads a pod's connections to its sidecar, as the `istio-iptables` of Istio does (INJ-20..INJ-29): inbound from
 * the pod's interface, outbound and names from the application.
 */
import { AGENT_PORTS, type InterceptionSettings } from "../../api/interception-settings.ts";
import type { IpAddresses, SocketAddress } from "../../policy/workload.ts";
import { CAPTURE_PORTS, PASSTHROUGH_SOURCE, POD_INTERFACE, SIDECAR_MARK } from "./mesh-ranges.ts";
import { checkedAddress, matchRange, type NftChain, nftSet } from "./nft-text.ts";

/** By what the rules know the sidecar's own traffic: a mark that applications cannot set, or its uid (INJ-26). */
export type Exemption =
  | { readonly by: "mark"; readonly mark: number }
  | { readonly by: "uid"; readonly uid: number };

const NAT_PRIORITY = -100;
const NAME_PORT = 53;
const TO_INBOUND = "captured-inbound";

export interface InterceptionInput {
  readonly interception: InterceptionSettings;
  readonly exemption: Exemption;
  readonly addresses: IpAddresses;
  /** Reached directly: what asks there cannot mark its sockets, and has to prove who it is. */
  readonly controlPlane: SocketAddress;
  readonly adminPort: number;
}

/** @throws FabricError for a range that is none */
export function interceptionChains(input: InterceptionInput): readonly NftChain[] {
  if (input.interception.mode === "NONE") return [ownPorts(input)];
  return [
    { name: TO_INBOUND, rules: capturedInbound(input.interception) },
    {
      name: "inbound",
      hook: { type: "nat", at: "prerouting", priority: NAT_PRIORITY, policy: "accept" },
      rules: [`iifname "${POD_INTERFACE}" jump ${TO_INBOUND}`],
    },
    {
      name: "outbound",
      hook: { type: "nat", at: "output", priority: NAT_PRIORITY, policy: "accept" },
      rules: outbound(input),
    },
    ownPorts(input),
  ];
}

/** What matches the sidecar's own traffic. */
export function matchExempt(exemption: Exemption): string {
  return exemption.by === "mark" ? `meta mark ${exemption.mark}` : `meta skuid ${exemption.uid}`;
}

/**
 * Every port that is not excluded. Istio leaves its agent's out (INJ-24) and handles tunnels by themselves (INJ-29):
 * here nothing of the mesh listens there, and whatever else did would pass by every policy.
 */
function capturedInbound({
  inboundPorts,
  excludedInboundPorts,
}: InterceptionSettings): readonly string[] {
  const target = `redirect to :${CAPTURE_PORTS.inbound}`;
  const left = excludedInboundPorts.filter((port) => !AGENT_PORTS.includes(port));
  if (inboundPorts === "all") {
    return [...portRule(left, "return"), `meta l4proto tcp ${target}`];
  }
  const taken = inboundPorts.filter((port) => !left.includes(port));
  return taken.length === 0 ? [] : [`tcp dport ${nftSet(taken)} ${target}`];
}

/** In the order of Istio's ISTIO_OUTPUT chain. */
function outbound(input: InterceptionInput): readonly string[] {
  const { interception, controlPlane } = input;
  const { excludedOutboundPorts, includedOutboundPorts, excludedOutboundRanges } = interception;
  const target = `redirect to :${CAPTURE_PORTS.outbound}`;
  const { family, text } = checkedAddress(controlPlane.address);
  return [
    `${family} daddr ${text} tcp dport ${controlPlane.port} return`,
    ...ownConnections(input),
    ...portRule(excludedOutboundPorts, "return"),
    'oifname "lo" return',
    `udp dport ${NAME_PORT} redirect to :${CAPTURE_PORTS.names}`,
    `tcp dport ${NAME_PORT} redirect to :${CAPTURE_PORTS.names}`,
    ...excludedOutboundRanges.map((cidr) => `${matchRange("daddr", { cidr })} return`),
    ...portRule(includedOutboundPorts, target),
    ...outboundRanges(interception).map((range) => `${range}meta l4proto tcp ${target}`),
  ];
}

/**
 * The sidecar's own are left alone, but for those to its own pod: they are a pod's calls to itself, and pass its inbound
 * side like anybody's. What the inbound side opens to the application comes from an address that tells it (INJ-28).
 */
function ownConnections({ exemption, addresses }: InterceptionInput): readonly string[] {
  const own = matchExempt(exemption);
  const toItself = (["ipv4", "ipv6"] as const).map((version) => {
    const { family, text } = checkedAddress(addresses[version]);
    const source = PASSTHROUGH_SOURCE[version];
    return `${own} oifname "lo" ${family} saddr != ${source} ${family} daddr ${text} jump ${TO_INBOUND}`;
  });
  return [...toItself, `${own} return`];
}

function portRule(ports: readonly number[], verdict: string): readonly string[] {
  return ports.length === 0 ? [] : [`tcp dport ${nftSet(ports)} ${verdict}`];
}

function outboundRanges({ outboundRanges: ranges }: InterceptionSettings): readonly string[] {
  return ranges === "all" ? [""] : ranges.map((cidr) => `${matchRange("daddr", { cidr })} `);
}

/** The sidecar's administration is for whoever started it, not for the application. */
function ownPorts({ exemption, adminPort }: InterceptionInput): NftChain {
  const marked: Exemption = { by: "mark", mark: SIDECAR_MARK };
  const allowed = new Set([matchExempt(marked), matchExempt(exemption)]);
  return {
    name: "own-ports",
    hook: { type: "filter", at: "output", priority: 0, policy: "accept" },
    rules: [
      ...[...allowed].map((own) => `${own} accept`),
      `oifname "lo" ct direction original tcp dport ${adminPort} reject with tcp reset`,
    ],
  };
}
