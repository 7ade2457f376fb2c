/** The translator under test, and what of its result a proxy is served. */
import { envoyResources } from "../../src/envoy/envoy-resources.ts";
import type { WorkloadView } from "../../src/policy/workload-view.ts";
import type { EnvoyForm } from "./question.ts";

export interface Translated {
  readonly listeners: readonly Named[];
  readonly clusters: readonly Named[];
  readonly extensionConfigs: readonly Named[];
  readonly endpoints: readonly Named[];
}

export interface Named {
  readonly name?: string;
  readonly [field: string]: unknown;
}

/** Rules up to which the form is linear: none, or all that a set can have. */
const LINEAR_UP_TO: Readonly<Record<EnvoyForm, number>> = { linear: 1_000_000, matcher: 0 };

export function translate(
  view: WorkloadView,
  { form, version }: { readonly form: EnvoyForm; readonly version: string },
): Translated {
  const { listeners, clusters, extensionConfigs, endpoints } = envoyResources(view, {
    version,
    linearUpTo: LINEAR_UP_TO[form],
  });
  // Types of Envoy's messages have no index signature; here they are looked through as JSON.
  return JSON.parse(JSON.stringify({ listeners, clusters, extensionConfigs, endpoints }));
}
