/**
 * The structure of a DestinationRule.
 * Source: https://istio.io/latest/docs/reference/config/networking/destination-rule/
 */
import { trafficPolicy } from "../parts/traffic-policy.ts";
import { workloadSelector } from "../parts/workload-selector.ts";
import { list, mapOf, type ObjectSchema, object, resource, text } from "../schema.ts";

const spec = object(
  {
    exportTo: list(text()),
    host: text(),
    subsets: list(
      object({ labels: mapOf(text()), name: text(), trafficPolicy }, { required: ["name"] }),
    ),
    trafficPolicy,
    workloadSelector,
  },
  { required: ["host"] },
);

export const destinationRuleSchema: ObjectSchema = resource(spec, "optional");
