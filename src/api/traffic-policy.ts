/**
 * `trafficPolicy` of a DestinationRule or of one of its subsets: how connections are protected, which endpoint is next, how
 * many connections and requests there may be, and when an endpoint is left out. What the schema and the webhook have
 * checked is taken for granted.
 * Source: https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy
 */
import { type ClientTls, clientTls } from "./client-tls.ts";
import { type ConnectionPoolSettings, connectionPoolSettings } from "./connection-pool-settings.ts";
import type { Fields } from "./decoder.ts";
import { type LoadBalancerSettings, loadBalancerSettings } from "./load-balancer-settings.ts";
import {
  type OutlierDetectionSettings,
  outlierDetectionSettings,
} from "./outlier-detection-settings.ts";
import { reportTwice, requiredPort } from "./port-fields.ts";

/** Each component is there exactly when it was written, be it empty: an empty one hides a more general one too. */
export interface TrafficPolicyComponents {
  /** Absent: mutual TLS is automatic (TLS-20..TLS-28). */
  readonly tls?: ClientTls;
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

/** Istio accepts a port without a number, and one given twice; which of them counts nobody could say. */
function portsOf(settings: readonly Fields[]): ReadonlyMap<number, TrafficPolicyComponents> {
  const portFields = settings.map((setting) => setting.section("port"));
  const numbers = portFields.map((port) => requiredPort(port, "number"));
  reportTwice(portFields, { field: "number", values: numbers });
  return new Map(settings.map((setting, index) => [numbers[index] ?? 0, componentsOf(setting)]));
}

function componentsOf(policy: Fields): TrafficPolicyComponents {
  policy.accept(["connectionPool", "loadBalancer", "outlierDetection", "tls"]);
  return {
    ...(policy.has("tls") && { tls: clientTls(policy.section("tls")) }),
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
