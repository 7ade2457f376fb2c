/** What `x describe` says of a DestinationRule: its subsets beside the pods' labels, and what its policies are of. */
import {
  type DestinationRuleObject,
  hasLabels,
  type Labels,
  type TrafficPolicyPart,
} from "./cluster-objects.ts";
import { type DescribedCluster, shortName } from "./description.ts";

export interface Subsets {
  /** Of which some pod has the labels. */
  readonly matching: readonly string[];
  readonly others: readonly string[];
}

export function subsetsOf(
  rule: DestinationRuleObject | undefined,
  podsLabels: readonly Labels[],
): Subsets {
  const subsets = rule?.spec?.subsets ?? [];
  const has = ({ labels }: (typeof subsets)[number]): boolean =>
    podsLabels.some((own) => hasLabels(own, labels));
  return {
    matching: subsets.filter(has).map(({ name = "" }) => name),
    others: subsets.filter((one) => !has(one)).map(({ name = "" }) => name),
  };
}

export function destinationRuleLines(
  rule: DestinationRuleObject,
  podsLabels: readonly Labels[],
  cluster: DescribedCluster,
): readonly string[] {
  const { host = "", trafficPolicy } = rule.spec ?? {};
  return [
    `DestinationRule: ${shortName(rule.metadata, cluster)} for "${host}"`,
    ...subsetLines(subsetsOf(rule, podsLabels)),
    ...(trafficPolicy === undefined ? ["   No Traffic Policy"] : policyLines(trafficPolicy)),
  ];
}

function subsetLines({ matching, others }: Subsets): readonly string[] {
  if (matching.length + others.length === 0) return [];
  const missing = others.join(",");
  return [
    ...(matching.length === 0
      ? [`   WARNING POD DOES NOT MATCH ANY SUBSETS.  (Non matching subsets ${missing})`]
      : []),
    `   Matching subsets: ${matching.join(",")}`,
    ...(others.length > 0 ? [`      (Non-matching subsets ${missing})`] : []),
  ];
}

function policyLines({
  portLevelSettings = [],
  ...policy
}: NonNullable<NonNullable<DestinationRuleObject["spec"]>["trafficPolicy"]>): readonly string[] {
  const ports = portLevelSettings.flatMap((settings) => [
    `    ${settings.port?.number ?? 0}:`,
    ...(settings.tls ? [`      TLS Mode: ${modeOf(settings)}`] : []),
    ...further(settings).map((line) => `      ${line}`),
  ]);
  return [
    ...(policy.tls ? [`   Traffic Policy TLS Mode: ${modeOf(policy)}`] : []),
    ...further(policy).map((line) => `   ${line}`),
    ...(ports.length > 0 ? ["   Port Level Settings:", ...ports] : []),
  ];
}

function modeOf({ tls }: TrafficPolicyPart): string {
  return tls?.mode ?? "DISABLE";
}

function further({
  loadBalancer,
  connectionPool,
  outlierDetection,
}: TrafficPolicyPart): readonly string[] {
  const policies = [
    ...(loadBalancer ? ["load balancer"] : []),
    ...(connectionPool ? ["connection pool"] : []),
    ...(outlierDetection ? ["outlier detection"] : []),
  ];
  return policies.length === 0 ? [] : [`Policies: ${policies.join("/")}`];
}
