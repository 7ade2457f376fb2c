/**
 * `trafficPolicy` of a DestinationRule or of one of its subsets, without its TLS, which `destination-rule.ts` reads:
 * which endpoint is next, how many connections and requests there may be, and when an endpoint is left out. What the
 * schema and the webhook have checked is taken for granted.
 * Source: https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy
 */
import { type ConnectionPoolSettings, connectionPoolSettings } from "./connection-pool-settings.ts";
import type { Fields } from "./decoder.ts";
import { type LoadBalancerSettings, loadBalancerSettings } from "./load-balancer-settings.ts";
import {
  type OutlierDetectionSettings,
  outlierDetectionSettings,
} from "./outlier-detection-settings.ts";
import { numberIn } from "./webhook/written-values.ts";

/** Each component is there exactly when it was written, be it empty: an empty one hides a more general one too. */
export interface TrafficPolicyComponents {
  readonly loadBalancer?: LoadBalancerSettings;
  readonly connectionPool?: ConnectionPoolSettings;
  readonly outlierDetection?: OutlierDetectionSettings;
}

export interface TrafficPolicy extends TrafficPolicyComponents {
  /** By service port: what counts there instead of all components above (TLS-42). */
  readonly ports: ReadonlyMap<number, TrafficPolicyComponents>;
}

/** @param owner the map that has a `trafficPolicy`, or none */
export function trafficPolicy(owner: Fields): TrafficPolicy {
  const policy = owner.section("trafficPolicy");
  policy.unused(["proxyProtocol", "retryBudget", "tunnel"]);
  return { ...componentsOf(policy), ports: portsOf(policy.list("portLevelSettings")) };
}

/** A port that is given twice is an issue, which `destination-rule.ts` reports; Istio takes the first. */
function portsOf(settings: readonly Fields[]): ReadonlyMap<number, TrafficPolicyComponents> {
  const ports = new Map<number, TrafficPolicyComponents>();
  for (const setting of settings) {
    const port = setting.section("port");
    port.accept(["number"]);
    const number = numberIn(port, "number");
    const components = componentsOf(setting);
    if (!ports.has(number)) ports.set(number, components);
  }
  return ports;
}

function componentsOf(policy: Fields): TrafficPolicyComponents {
  policy.accept(["connectionPool", "loadBalancer", "outlierDetection"]);
  return {
    ...(policy.has("loadBalancer") && {
      loadBalancer: loadBalancerSettings(policy.section("loadBalancer")),
    }),
    ...(policy.has("connectionPool") && {
      connectionPool: connectionPoolSettings(policy.section("connectionPool")),
    }),
    ...(policy.has("outlierDetection") && {
      outlierDetection: outlierDetectionSettings(policy.section("outlierDetection")),
    }),
  };
}
