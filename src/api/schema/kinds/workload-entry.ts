/**
 * The structure of a WorkloadEntry.
 * Source: https://istio.io/latest/docs/reference/config/networking/workload-entry/
 */
import { workloadEntrySpec } from "../parts/workload-entry.ts";
import { type ObjectSchema, resource } from "../schema.ts";

export const workloadEntrySchema: ObjectSchema = resource(workloadEntrySpec, "required");
