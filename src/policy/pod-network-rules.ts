/**
 * What NetworkPolicies say for one pod, resolved to addresses: what a kernel can be told. Both directions are judged
 * by themselves; a connection needs the leave of both ends.
 */
import type { ResourceRef } from "../api/resource.ts";

export interface PodNetworkRules {
  /** "open": no policy isolates the pod in this direction. */
  readonly ingress: "open" | readonly NetworkAllowance[];
  readonly egress: "open" | readonly NetworkAllowance[];
}

/** One rule of one policy: allowed is what any of them allows. */
export interface NetworkAllowance {
  readonly policy: ResourceRef;
  /** IP addresses of pods and CIDR blocks, the latter less what is carved out of them. */
  readonly peers: "anyone" | readonly (PeerAddress | PeerBlock)[];
  /** Of the pod that is called. */
  readonly ports: "all" | readonly PortRange[];
}

export interface PeerAddress {
  readonly address: string;
  /**
   * Where the ports depend on the peer, as named ports of an egress rule do, those of this peer; otherwise absent, and
   * the allowance's own count.
   */
  readonly ports?: readonly PortRange[];
}

export interface PeerBlock {
  /** IPv4 or IPv6. */
  readonly cidr: string;
  readonly except: readonly string[];
}

export interface PortRange {
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** Inclusive; 0 and 65535 for every port of the protocol. */
  readonly from: number;
  readonly to: number;
}
