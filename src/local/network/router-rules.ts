/**
 * What pods may do at the bridge: reach each other, the control plane and names; TCP to anywhere else is led to the
 * gateway, and everything else is refused.
 */
import { BRIDGE, POD_RANGES, ROUTER_PORTS, SERVICE_RANGES } from "./mesh-ranges.ts";
import { nftTable } from "./nft-text.ts";

const NAT_PRIORITY = -100;
/** After addresses were translated. */
const OUTSIDE_PRIORITY = -90;

const OUTSIDE = [
  `ip daddr != { ${POD_RANGES.ipv4}, ${SERVICE_RANGES.ipv4} }`,
  `ip6 daddr != { ${POD_RANGES.ipv6}, ${SERVICE_RANGES.ipv6}, fe80::/10, ff00::/8 }`,
] as const;

const fromPods = `iifname "${BRIDGE}"`;

/** @returns text for `nft -f -` */
export function routerRules(): string {
  return nftTable([
    {
      name: "egress",
      hook: { type: "nat", at: "prerouting", priority: NAT_PRIORITY, policy: "accept" },
      rules: OUTSIDE.map(
        (outside) => `${fromPods} ${outside} meta l4proto tcp redirect to :${ROUTER_PORTS.egress}`,
      ),
    },
    {
      name: "outside",
      hook: { type: "filter", at: "prerouting", priority: OUTSIDE_PRIORITY, policy: "accept" },
      rules: [
        `${fromPods} meta pkttype != host accept`,
        ...[...OUTSIDE, `ip daddr ${SERVICE_RANGES.ipv4}`, `ip6 daddr ${SERVICE_RANGES.ipv6}`].map(
          (where) => `${fromPods} ${where} jump refuse`,
        ),
      ],
    },
    {
      name: "input",
      hook: { type: "filter", at: "input", priority: 0, policy: "drop" },
      rules: [
        'iifname "lo" accept',
        `iifname != "${BRIDGE}" drop`,
        "ct state established,related accept",
        `tcp dport ${ROUTER_PORTS.egress} ct status dnat accept`,
        `tcp dport { ${ROUTER_PORTS.names}, ${ROUTER_PORTS.controlPlane} } accept`,
        `udp dport ${ROUTER_PORTS.names} accept`,
        "icmp type echo-request accept",
        "icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept",
        "meta pkttype != host drop",
        "jump refuse",
      ],
    },
    {
      name: "forward",
      hook: { type: "filter", at: "forward", priority: 0, policy: "drop" },
      rules: [`${fromPods} oifname "${BRIDGE}" accept`],
    },
    {
      name: "refuse",
      rules: ["meta l4proto tcp reject with tcp reset", "reject with icmpx admin-prohibited"],
    },
  ]);
}
