/** `outlierDetection` of a traffic policy: when an endpoint that fails is left out, and for how long. */
import type { Fields } from "./decoder.ts";
import { durationMsIn } from "./duration-ms-in.ts";
import { flagIn, numberIn } from "./webhook/written-values.ts";

/** As written; what absent fields and zeros mean, `policy/effective-traffic-policy.ts` says. */
export interface OutlierDetectionSettings {
  readonly consecutive5xxErrors?: number;
  readonly consecutiveGatewayErrors?: number;
  readonly consecutiveLocalOriginFailures?: number;
  readonly splitExternalLocalOriginErrors: boolean;
  readonly intervalMs?: number;
  readonly baseEjectionTimeMs?: number;
  /** 0 when absent. */
  readonly maxEjectionPercent: number;
  /** 0 when absent. */
  readonly minHealthPercent: number;
}

const COUNTS = [
  "consecutive5xxErrors",
  "consecutiveGatewayErrors",
  "consecutiveLocalOriginFailures",
] as const;

/** `consecutiveErrors` has no effect in Istio either: istiod does not read it any more. */
export function outlierDetectionSettings(fields: Fields): OutlierDetectionSettings {
  fields.unused(["consecutiveErrors", "outlierDetectionHttpErrorCodes"]);
  fields.accept([...COUNTS, "splitExternalLocalOriginErrors", "interval", "baseEjectionTime"]);
  fields.accept(["maxEjectionPercent", "minHealthPercent"]);
  const intervalMs = durationMsIn(fields, "interval");
  const baseEjectionTimeMs = durationMsIn(fields, "baseEjectionTime");
  return {
    ...countsIn(fields),
    splitExternalLocalOriginErrors: flagIn(fields, "splitExternalLocalOriginErrors"),
    ...(intervalMs !== undefined && { intervalMs }),
    ...(baseEjectionTimeMs !== undefined && { baseEjectionTimeMs }),
    maxEjectionPercent: numberIn(fields, "maxEjectionPercent"),
    minHealthPercent: numberIn(fields, "minHealthPercent"),
  };
}

/** 0 is another thing than absence: it turns a count off. */
function countsIn(fields: Fields): Partial<Record<(typeof COUNTS)[number], number>> {
  const given = COUNTS.filter((name) => fields.has(name));
  return Object.fromEntries(given.map((name) => [name, numberIn(fields, name)]));
}
