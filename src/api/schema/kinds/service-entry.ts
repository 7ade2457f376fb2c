/**
 * The structure of a ServiceEntry.
 * Source: https://istio.io/latest/docs/reference/config/networking/service-entry/
 */

import {
  BLOCKS_WITHOUT_RESOLUTION,
  DISTINCT_PORT_NUMBERS,
  ENDPOINTS_WITH_RESOLUTION,
  ONE_ROUND_ROBIN_ENDPOINT,
  SELECTOR_OR_ENDPOINTS,
} from "../network-rules.ts";
import { workloadEntrySpec } from "../parts/workload-entry.ts";
import { networkingSelector } from "../parts/workload-selector.ts";
import { CERTAIN_HOST, PORT } from "../rules.ts";
import { choice, list, type ObjectSchema, object, resource, text, uint32 } from "../schema.ts";

const servicePorts = list(
  object(
    {
      name: text({ maxLength: 256 }),
      number: uint32({ rules: [PORT] }),
      protocol: text({ maxLength: 256 }),
      targetPort: uint32({ rules: [PORT] }),
    },
    { required: ["number", "name"] },
  ),
  { maxItems: 256, uniqueBy: "name", rules: [DISTINCT_PORT_NUMBERS] },
);

const spec = object(
  {
    addresses: list(text({ maxLength: 64 }), { maxItems: 256 }),
    endpoints: list(workloadEntrySpec, { maxItems: 4096 }),
    exportTo: list(text()),
    hosts: list(text({ rules: [CERTAIN_HOST] }), { minItems: 1, maxItems: 256 }),
    location: choice(["MESH_EXTERNAL", "MESH_INTERNAL"]),
    ports: servicePorts,
    resolution: choice(["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"]),
    subjectAltNames: list(text()),
    workloadSelector: networkingSelector,
  },
  {
    required: ["hosts"],
    rules: [
      SELECTOR_OR_ENDPOINTS,
      BLOCKS_WITHOUT_RESOLUTION,
      ENDPOINTS_WITH_RESOLUTION,
      ONE_ROUND_ROBIN_ENDPOINT,
    ],
  },
);

export const serviceEntrySchema: ObjectSchema = resource(spec, "required");
