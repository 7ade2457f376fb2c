/** All that the kernel is told of one pod: one table, replaced as a whole. */
import type { PodNetworkRules } from "../../policy/pod-network-rules.ts";
import type { IpAddresses } from "../../policy/workload.ts";
import {
  type Exemption,
  type InterceptionInput,
  interceptionChains,
  matchExempt,
} from "./interception-rules.ts";
import { POD_INTERFACE } from "./mesh-ranges.ts";
import { networkPolicyChains } from "./network-policy-rules.ts";
import { checkedAddress, type NftChain, nftTable } from "./nft-text.ts";
import { type ServiceRoute, serviceChains } from "./service-rules.ts";

export type { Exemption } from "./interception-rules.ts";
export type { ServiceRoute } from "./service-rules.ts";

export interface PodRulesInput extends InterceptionInput {
  readonly sidecar: "present" | "absent";
  readonly exemption: Exemption;
  readonly services: readonly ServiceRoute[];
  readonly networkRules: PodNetworkRules;
}

/**
 * @returns text for `nft -f -`, the same for the same input
 * @throws FabricError for an address or a range that is none: then nothing is written at all
 */
export function podRules(input: PodRulesInput): string {
  const { sidecar, exemption, services, networkRules } = input;
  const own = sidecar === "present" ? matchExempt(exemption) : undefined;
  return nftTable([
    ...networkPolicyChains(networkRules, input),
    ...(sidecar === "present" ? interceptionChains(input) : []),
    ...serviceChains(services, { own }),
    sourceChain(input.addresses),
  ]);
}

/** A pod speaks for itself only: over IPv6 anybody may otherwise send in another's name (IPV6_FREEBIND). */
function sourceChain({ ipv4, ipv6 }: IpAddresses): NftChain {
  return {
    name: "source",
    hook: { type: "filter", at: "postrouting", priority: 0, policy: "accept" },
    rules: [
      `oifname != "${POD_INTERFACE}" accept`,
      `ip saddr ${checkedAddress(ipv4).text} accept`,
      `ip6 saddr { ::, ${checkedAddress(ipv6).text} } accept`,
      "drop",
    ],
  };
}
