/** DestinationRules whose `trafficPolicy` another one for the same host hides, TLS and all (TLS-41). */
import type { DestinationRule } from "../api/destination-rule.ts";
import { formatLocation, formatRef, type Notice, type Resource } from "../api/resource.ts";
import { bundlesOf } from "./destination-rule-bundle.ts";
import { fullHost } from "./destination-rules.ts";
import { ofKind } from "./mesh-snapshot.ts";
import { byAge } from "./mutual-tls.ts";

export function hiddenTrafficPolicyNotices(resources: readonly Resource[]): readonly Notice[] {
  const rules = ofKind(resources, "DestinationRule");
  if (rules.length < 2) return [];
  const byHost = new Map<string, DestinationRule[]>();
  for (const rule of [...rules].sort(byAge)) {
    const key = `${rule.meta.namespace} ${fullHost(rule)}`;
    const others = byHost.get(key);
    if (others === undefined) byHost.set(key, [rule]);
    else others.push(rule);
  }
  return [...byHost.values()]
    .flatMap((alike) => bundlesOf(selectingFirst(alike)))
    .flatMap(({ passedOver, deciding }) => passedOver.map((rule) => noticeOf(rule, deciding)));
}

function selectingFirst(rules: readonly DestinationRule[]): readonly DestinationRule[] {
  const selecting = rules.filter(({ workloadSelector }) => workloadSelector !== undefined);
  return [...selecting, ...rules.filter(({ workloadSelector }) => workloadSelector === undefined)];
}

function noticeOf({ kind, meta, host }: DestinationRule, deciding: DestinationRule): Notice {
  const whose = `${formatRef({ kind, ...deciding.meta })} (${formatLocation(deciding.meta.source)})`;
  return {
    source: meta.source,
    path: "",
    message: `trafficPolicy of ${formatRef({ kind, ...meta })} is not obeyed: for ${host}, that of ${whose} counts as a whole, being older or the first by name (TLS-41); make them one`,
  };
}
