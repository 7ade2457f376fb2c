/** `trafficPolicy` of a DestinationRule, of its subsets, and of single ports (VAL-65). */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { checkClientTlsSettings } from "./client-tls-settings.ts";
import { checkConnectionPool } from "./connection-pool.ts";
import { hostNameProblem, isAddress } from "./host-name.ts";
import { checkLoadBalancer } from "./load-balancer.ts";
import { checkOutlierDetection } from "./outlier-detection.ts";
import { portNumberProblem } from "./port.ts";
import type { Warnings } from "./warnings.ts";
import { numberIn, textIn } from "./written-values.ts";

const PORT_PARTS = ["outlierDetection", "connectionPool", "loadBalancer", "tls"];
const PARTS = [...PORT_PARTS, "tunnel", "proxyProtocol", "retryBudget"];
const PROXY_PROTOCOLS = ["", "V1", "V2"];

export interface TrafficPolicyContext {
  /** Of the DestinationRule. */
  readonly namespace: string;
  readonly warnings: Warnings;
}

/** @param owner the map that has a `trafficPolicy`, or none */
export function checkTrafficPolicy(owner: Fields, context: TrafficPolicyContext): void {
  if (!owner.has("trafficPolicy")) return;
  const policy = owner.section("trafficPolicy");
  const hasPorts = policy.itemCount("portLevelSettings") > 0;
  if (!hasPorts && PARTS.every((part) => !policy.has(part))) {
    owner.report("trafficPolicy", "must have at least one field");
    return;
  }
  if (policy.has("tunnel") && policy.has("proxyProtocol")) {
    policy.report("proxyProtocol", "must not be given together with tunnel");
    return;
  }
  checkParts(policy, context);
  for (const port of policy.list("portLevelSettings")) checkPortPolicy(port, context.namespace);
  if (policy.has("tunnel")) checkTunnel(policy.section("tunnel"));
  const version = textIn(policy.section("proxyProtocol"), "version");
  if (!PROXY_PROTOCOLS.includes(version)) {
    policy.section("proxyProtocol").report("version", `is ${quoted(version)}; expected V1 or V2`);
  }
}

/** What a policy and a port of it have in common. */
function checkParts(policy: Fields, { namespace, warnings }: TrafficPolicyContext): void {
  checkOutlierDetection(policy, warnings);
  checkConnectionPool(policy);
  checkLoadBalancer(policy, warnings);
  checkClientTlsSettings(policy.section("tls"), namespace);
}

function checkPortPolicy(policy: Fields, namespace: string): void {
  if (!policy.has("port")) {
    policy.section("port").report("number", "is missing; expected a number from 1 to 65535");
  }
  if (PORT_PARTS.every((part) => !policy.has(part))) {
    policy.reportHere("must have at least one field beside port");
  } else checkParts(policy, { namespace, warnings: "dropped" });
}

function checkTunnel(tunnel: Fields): void {
  const protocol = textIn(tunnel, "protocol");
  if (!["", "CONNECT", "POST"].includes(protocol)) {
    tunnel.report("protocol", `is ${quoted(protocol)}; expected CONNECT or POST`);
  }
  const host = textIn(tunnel, "targetHost");
  if (hostNameProblem(host) !== undefined && !isAddress(host)) {
    tunnel.report("targetHost", `${quoted(host)} is neither the name of a host nor an address`);
  }
  const problem = portNumberProblem(numberIn(tunnel, "targetPort"));
  if (problem !== undefined) tunnel.report("targetPort", problem);
}
