/** How a workload's own calls are made, where a ServiceEntry or a DestinationRule says anything of it. */
import type { ResourceOrigin } from "./decision.ts";
import { originationSentences, placeSentences } from "./outside-sentences.ts";
import { trafficPolicySentences } from "./traffic-policy-sentences.ts";
import type { Destination } from "./workload-view.ts";

/** Ports of services for which one resource says the same. */
export interface DescribedCalls {
  readonly to: readonly { readonly host: string; readonly servicePort: number }[];
  readonly origin: ResourceOrigin;
  /** What differs from the defaults; at least one. */
  readonly sentences: readonly string[];
}

export function describeCalls(destinations: readonly Destination[]): readonly DescribedCalls[] {
  const groups = new Map<
    string,
    DescribedCalls & { readonly to: DescribedCalls["to"][number][] }
  >();
  for (const destination of destinations) {
    const { host, servicePort } = destination;
    for (const { origin, sentences } of saidOf(destination)) {
      if (sentences.length === 0) continue;
      const key = JSON.stringify([origin.ref, sentences]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { to: [{ host, servicePort }], origin, sentences });
      else group.to.push({ host, servicePort });
    }
  }
  return [...groups.values()];
}

function saidOf(destination: Destination): readonly Omit<DescribedCalls, "to">[] {
  const { serviceEntry, clientTls, trafficPolicy } = destination;
  const rule = clientTls?.origin ?? trafficPolicy?.origin;
  const ofRule = [
    ...originationSentences(destination),
    ...(trafficPolicy === undefined ? [] : trafficPolicySentences(trafficPolicy)),
  ];
  return [
    ...(serviceEntry === undefined
      ? []
      : [{ origin: serviceEntry.origin, sentences: placeSentences(destination) }]),
    ...(rule === undefined ? [] : [{ origin: rule, sentences: ofRule }]),
  ];
}
