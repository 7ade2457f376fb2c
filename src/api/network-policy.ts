/**
 * NetworkPolicy: which connections a pod takes, and opens, by address and port; checked as Kubernetes checks it.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
 */
import { cidrContains, parseCidr } from "./cidr.ts";
import type { Fields } from "./decoder.ts";
import { plainAddress } from "./plain-address.ts";
import { quoted } from "./quoted.ts";
import type { ResourceMeta } from "./resource.ts";
import { portNameProblem } from "./resource-names.ts";
import { type SetSelector, setSelector } from "./set-selector.ts";

export type NetworkDirection = "ingress" | "egress";

const NETWORK_PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;
export type NetworkProtocol = (typeof NETWORK_PROTOCOLS)[number];

export interface NetworkPolicy {
  readonly kind: "NetworkPolicy";
  readonly meta: ResourceMeta;
  /** Of pods in its namespace. */
  readonly podSelector: SetSelector;
  /** In which its pods admit nothing but what some policy allows (`policyTypes`). */
  readonly directions: readonly NetworkDirection[];
  readonly ingress: readonly NetworkPolicyRule[];
  readonly egress: readonly NetworkPolicyRule[];
}

/** Allows what is from, or to, one of the peers on one of the ports. */
export interface NetworkPolicyRule {
  /** Empty: everybody. */
  readonly peers: readonly NetworkPolicyPeer[];
  /** Empty: all ports of all protocols. */
  readonly ports: readonly NetworkPolicyPort[];
  /** In the file, from 1; as of peers and ports. */
  readonly line: number;
}

export type NetworkPolicyPeer =
  | {
      readonly kind: "pods";
      /** Absent: every pod of the namespaces. */
      readonly podSelector?: SetSelector;
      /** Absent: the policy's own namespace. */
      readonly namespaceSelector?: SetSelector;
      readonly line: number;
    }
  | {
      readonly kind: "block";
      readonly cidr: string;
      /** What is carved out of it. */
      readonly except: readonly string[];
      readonly line: number;
    };

export interface NetworkPolicyPort {
  readonly protocol: NetworkProtocol;
  /** A number, the name of a container port, or absent for every port of the protocol. */
  readonly port?: number | string;
  /** Last of a range that begins with `port`. */
  readonly endPort?: number;
  readonly line: number;
}

const POLICY_TYPES = ["Ingress", "Egress"];

export function networkPolicy(meta: ResourceMeta, root: Fields): NetworkPolicy {
  const spec = root.section("spec");
  const podSelector = setSelector(spec, "podSelector");
  const ingress = spec.list("ingress").map((rule) => networkPolicyRule(rule, "from"));
  const egress = spec.list("egress").map((rule) => networkPolicyRule(rule, "to"));
  const directions = policyDirections(spec);
  for (const direction of ["ingress", "egress"] as const) {
    if (!directions.includes(direction)) noticeWithoutEffect(spec, direction);
  }
  return { kind: "NetworkPolicy", meta, podSelector, directions, ingress, egress };
}

/** Without `policyTypes`: ingress always, egress when there are rules for it. */
function policyDirections(spec: Fields): readonly NetworkDirection[] {
  const written = spec.texts("policyTypes", policyTypeProblem);
  if (spec.itemCount("policyTypes") > POLICY_TYPES.length) {
    spec.report("policyTypes", "must not have more than two items");
  }
  if (spec.saysNothing("policyTypes")) {
    return spec.saysNothing("egress") ? ["ingress"] : ["ingress", "egress"];
  }
  return [
    ...(written.includes("Ingress") ? (["ingress"] as const) : []),
    ...(written.includes("Egress") ? (["egress"] as const) : []),
  ];
}

function policyTypeProblem(text: string): string | undefined {
  if (POLICY_TYPES.includes(text)) return undefined;
  return `is ${quoted(text)}; expected one of ${POLICY_TYPES.join(", ")}`;
}

function noticeWithoutEffect(spec: Fields, direction: NetworkDirection): void {
  if (!spec.has(direction)) return;
  const type = direction === "ingress" ? "Ingress" : "Egress";
  const why = spec.saysNothing("policyTypes")
    ? "is empty, and without policyTypes only rules isolate pods in this direction"
    : `has no effect, as policyTypes does not list ${type}`;
  spec.notice(direction, `${why}: nothing is refused; add ${type} to policyTypes`);
}

function networkPolicyRule(fields: Fields, peerField: "from" | "to"): NetworkPolicyRule {
  const meaning = { from: "admits everybody", to: "lets out to everywhere" }[peerField];
  noticeEmpty(fields, { field: peerField, meaning });
  noticeEmpty(fields, { field: "ports", meaning: "opens every port" });
  return {
    peers: fields.list(peerField).flatMap(networkPolicyPeer),
    ports: fields.list("ports").map(networkPolicyPort),
    line: fields.line,
  };
}

/** An empty list says the same as none, which those who wrote it may not expect. */
function noticeEmpty(
  fields: Fields,
  { field, meaning }: { readonly field: string; readonly meaning: string },
): void {
  if (fields.mentions(field) && fields.saysNothing(field)) {
    fields.notice(field, `is empty, so this rule ${meaning}; leave it out if that is meant`);
  }
}

function networkPolicyPeer(fields: Fields): NetworkPolicyPeer[] {
  const pods = podPeer(fields);
  const block = blockPeer(fields);
  if (pods !== undefined && block !== undefined) {
    fields.reportHere("must not have ipBlock together with podSelector or namespaceSelector");
  }
  const peer = pods ?? block;
  if (peer === undefined) {
    fields.reportHere("names no peer; expected podSelector, namespaceSelector or ipBlock");
    return [];
  }
  return [peer];
}

function podPeer(fields: Fields): NetworkPolicyPeer | undefined {
  const [hasPods, hasNamespaces] = [fields.has("podSelector"), fields.has("namespaceSelector")];
  const podSelector = setSelector(fields, "podSelector");
  const namespaceSelector = setSelector(fields, "namespaceSelector");
  if (!hasPods && !hasNamespaces) return undefined;
  return {
    kind: "pods",
    ...(hasPods && { podSelector }),
    ...(hasNamespaces && { namespaceSelector }),
    line: fields.line,
  };
}

function blockPeer(fields: Fields): NetworkPolicyPeer | undefined {
  const block = fields.section("ipBlock");
  if (!fields.has("ipBlock")) return undefined;
  const cidr = block.requiredText("cidr", cidrProblem);
  const except = block.texts("except", (text) => exceptProblem(text, cidr));
  return { kind: "block", cidr, except, line: fields.line };
}

function cidrProblem(text: string): string | undefined {
  if (!text.includes("/") || parseCidr(text) === undefined) {
    return `${quoted(text)} is not a range of addresses such as 10.0.0.0/8 or fd00::/8`;
  }
  const [address = ""] = text.split("/");
  if (!address.includes(":") || plainAddress(address)?.includes(":")) return undefined;
  return `${quoted(text)} is a range of IPv4 addresses written as IPv6; write it as IPv4`;
}

function exceptProblem(text: string, cidr: string): string | undefined {
  const problem = cidrProblem(text);
  if (problem !== undefined) return problem;
  const [inner, outer] = [parseCidr(text), parseCidr(cidr)];
  if (inner === undefined || outer === undefined) return undefined;
  const isInside = cidrContains(outer, inner.network) && inner.prefixLength > outer.prefixLength;
  return isInside ? undefined : `${quoted(text)} is not a part of ${cidr}`;
}

function networkPolicyPort(fields: Fields): NetworkPolicyPort {
  const protocol = fields.choice("protocol", NETWORK_PROTOCOLS, "TCP");
  const port = fields.portOrName("port", portNameProblem);
  const endPort = fields.integer("endPort", { min: 1, max: 65_535 });
  if (endPort !== undefined) checkEndPort(fields, { port, endPort });
  return {
    protocol,
    ...(port !== undefined && { port }),
    ...(endPort !== undefined && { endPort }),
    line: fields.line,
  };
}

function checkEndPort(
  fields: Fields,
  { port, endPort }: { readonly port: number | string | undefined; readonly endPort: number },
): void {
  if (typeof port === "string") fields.report("endPort", "must not be given with a named port");
  else if (!fields.has("port")) fields.report("endPort", "must not be given without port");
  else if (port !== undefined && endPort < port) {
    fields.report("endPort", `is ${endPort}; expected at least ${port}, the value of port`);
  }
}
