/** Subsets of DestinationRules as destinations of their own, for the routes that name them. */
import { selects } from "../api/label-selector.ts";
import type { Labels } from "../api/resource.ts";
import type { CredentialLookup } from "./client-credentials.ts";
import { withClientTls } from "./client-tls.ts";
import type { ChosenRule, DestinationRuleLookup } from "./destination-rules.ts";
import { effectiveTrafficPolicy } from "./effective-traffic-policy.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import type { NamedSubset } from "./routes/named-subsets.ts";
import { serverNameOf } from "./service-host.ts";
import type { Destination, DestinationSubset } from "./workload-view.ts";

export interface SubsetParts {
  /** Of the client, before any rule is applied. */
  readonly destinations: readonly Destination[];
  readonly ruleFor: DestinationRuleLookup;
  readonly credentials: CredentialLookup;
}

/** Those of a rule that counts for the client; a name that no rule knows leads to nobody. */
export function destinationSubsets(
  snapshot: MeshSnapshot,
  named: readonly NamedSubset[],
  { destinations, ruleFor, credentials }: SubsetParts,
): readonly DestinationSubset[] {
  if (named.length === 0) return [];
  const labelsOf = endpointLabels(snapshot);
  return named.flatMap(({ host, port, subset: name }) =>
    destinations
      .filter((one) => one.host === host && (port === 0 || one.servicePort === port))
      .flatMap((destination) => {
        const rule = ruleFor(destination);
        const subset = rule?.subsets.find((one) => one.name === name);
        if (rule === undefined || subset === undefined) return [];
        return subsetOf(destination, { rule, subset, credentials, labelsOf });
      }),
  );
}

type EndpointLabels = (destination: Destination, workload: string) => Labels | undefined;

/** Of endpoints whose labels are not known, such as those of other clusters, only a subset of all has any. */
function subsetOf(
  destination: Destination,
  {
    rule,
    subset,
    credentials,
    labelsOf,
  }: {
    readonly rule: ChosenRule;
    readonly subset: ChosenRule["subsets"][number];
    readonly credentials: CredentialLookup;
    readonly labelsOf: EndpointLabels;
  },
): DestinationSubset {
  const { host, servicePort } = destination;
  const isOf = ({ workload }: { readonly workload: string }): boolean => {
    if (Object.keys(subset.labels).length === 0) return true;
    const labels = labelsOf(destination, workload);
    return labels !== undefined && selects(subset.labels, labels);
  };
  const own = subset.trafficPolicy;
  const narrowed = {
    ...narrowedTo(destination, isOf),
    serverName: serverNameOf(host, servicePort, subset.name),
  };
  const reached = withClientTls(narrowed, rule, { credentials, ...(own && { subset: own }) });
  const spreads = rule.trafficPolicy !== undefined || own !== undefined;
  const effective = effectiveTrafficPolicy(rule.trafficPolicy, {
    servicePort,
    ...(own && { subset: own }),
  });
  return {
    ...reached,
    subset: subset.name,
    ...(spreads && { trafficPolicy: { ...effective, origin: rule.origin } }),
  };
}

function narrowedTo(
  destination: Destination,
  isOf: (endpoint: { readonly workload: string }) => boolean,
): Destination {
  const { endpoints, serviceEntry } = destination;
  const { lookUp } = serviceEntry ?? {};
  return {
    ...destination,
    endpoints: endpoints.filter(isOf),
    ...(serviceEntry !== undefined &&
      lookUp !== undefined && { serviceEntry: { ...serviceEntry, lookUp: lookUp.filter(isOf) } }),
  };
}

/** Of pods, of WorkloadEntries, and of the endpoints that ServiceEntries give. */
function endpointLabels(snapshot: MeshSnapshot): EndpointLabels {
  const known = labelsOfSnapshots.get(snapshot) ?? allLabels(snapshot);
  labelsOfSnapshots.set(snapshot, known);
  return ({ serviceNamespace }, workload) => known.get(`${serviceNamespace}/${workload}`);
}

const labelsOfSnapshots = new WeakMap<MeshSnapshot, ReadonlyMap<string, Labels>>();

function allLabels({
  workloads,
  workloadEntries,
  serviceEntries,
}: MeshSnapshot): ReadonlyMap<string, Labels> {
  const given = serviceEntries.flatMap(({ meta, endpoints }) =>
    endpoints.map(
      ({ labels }, index) => [`${meta.namespace}/${meta.name}-${index}`, labels] as const,
    ),
  );
  return new Map<string, Labels>([
    ...given,
    ...[...workloadEntries.values()]
      .flat()
      .map((one) => [`${one.meta.namespace}/${one.meta.name}`, one.labels] as const),
    ...workloads.map((one) => [`${one.namespace}/${one.name}`, one.labels] as const),
  ]);
}
