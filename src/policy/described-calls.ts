/** How a workload's own calls are spread and limited, where a DestinationRule says anything of it. */
import type { ResourceOrigin } from "./decision.ts";
import { trafficPolicySentences } from "./traffic-policy-sentences.ts";
import type { Destination } from "./workload-view.ts";

/** Ports of services for which one rule says the same. */
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
  for (const { host, servicePort, trafficPolicy } of destinations) {
    if (trafficPolicy === undefined) continue;
    const { origin } = trafficPolicy;
    const sentences = trafficPolicySentences(trafficPolicy);
    if (sentences.length === 0) continue;
    const key = JSON.stringify([origin.ref, sentences]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { to: [{ host, servicePort }], origin, sentences });
    else group.to.push({ host, servicePort });
  }
  return [...groups.values()];
}
