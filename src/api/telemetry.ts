/**
 * Telemetry: which requests and connections are told to whom. Its access logging and tracing are carried here; its metrics
 * are checked.
 * Source: https://istio.io/latest/docs/reference/config/telemetry/
 */
import type { TargetRef } from "./authorization-policy.ts";
import type { Fields } from "./decoder.ts";
import { workloadSelector } from "./label-selector.ts";
import { type LogFilter, logFilter } from "./log-filter.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { targetRefs } from "./target-refs.ts";
import { type Tracing, tracing } from "./tracing.ts";
import { flagIn, textIn } from "./webhook/written-values.ts";
import { type WorkloadMode, workloadMode } from "./workload-mode.ts";

export interface Telemetry {
  readonly kind: "Telemetry";
  readonly meta: ResourceMeta;
  /** Empty, without `targetRefs`: the whole namespace, or the mesh in the root namespace. */
  readonly selector: Labels;
  readonly targetRefs: readonly TargetRef[];
  /** In the order written; none says nothing about access logs. */
  readonly accessLogging: readonly AccessLogging[];
  /** In the order written. */
  readonly tracing: readonly Tracing[];
}

export interface AccessLogging {
  /** From 1. */
  readonly line: number;
  readonly mode: WorkloadMode;
  /** Names of extension providers; none: those that are inherited. */
  readonly providers: readonly string[];
  readonly disabled: boolean;
  /** Only what satisfies it is logged (OBS-12). */
  readonly filter?: LogFilter;
}

export function telemetry(meta: ResourceMeta, root: Fields): Telemetry {
  const spec = root.section("spec");
  spec.unused(["metrics"]);
  return {
    kind: "Telemetry",
    meta,
    selector: workloadSelector(spec),
    targetRefs: targetRefs(spec),
    accessLogging: accessLoggingOf(spec),
    tracing: spec.list("tracing").map(tracing),
  };
}

/** As the webhook, which refuses what is longer: parsing takes microseconds a character. */
const MOST_EXPRESSIONS = 200_000;

function accessLoggingOf(spec: Fields): readonly AccessLogging[] {
  let characters = 0;
  return spec.list("accessLogging").map((fields) => {
    characters += textIn(fields.section("filter"), "expression").length;
    return accessLogging(fields, characters > MOST_EXPRESSIONS ? "refused" : "read");
  });
}

function accessLogging(fields: Fields, filters: "read" | "refused"): AccessLogging {
  const filter =
    fields.has("filter") && filters === "read" ? logFilter(fields.section("filter")) : undefined;
  return {
    line: fields.line,
    mode: workloadMode(fields),
    providers: fields.list("providers").map((provider) => textIn(provider, "name")),
    disabled: flagIn(fields, "disabled"),
    ...(filter && { filter }),
  };
}
