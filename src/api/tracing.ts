/** `tracing` of a Telemetry: of which requests spans are told, to whom, and what stands in them. */
import { type CustomTag, customTags } from "./custom-tag.ts";
import type { Fields } from "./decoder.ts";
import { flagIn, numberIn, textIn } from "./webhook/written-values.ts";
import { type WorkloadMode, workloadMode } from "./workload-mode.ts";

/** What is absent is as the entries before it say. */
export interface Tracing {
  /** From 1. */
  readonly line: number;
  readonly mode: WorkloadMode;
  /** Names of extension providers, of which the first counts. */
  readonly providers: readonly string[];
  readonly reporting?: Switch;
  /** From 0 to 100, of requests whose caller did not decide. */
  readonly samplingPercentage?: number;
  /** In place of all others. */
  readonly customTags?: readonly CustomTag[];
  /** Whether the request's id decides which are sampled, so that all who see it decide alike. */
  readonly samplingByRequestId?: Switch;
  /** Tags that tell the workload. */
  readonly istioTags?: Switch;
  /** Whether those called are told of the trace. */
  readonly propagation?: Switch;
}

export type Switch = "on" | "off";

export function tracing(fields: Fields): Tracing {
  const sampling = fields.has("randomSamplingPercentage");
  const reporting = switched(fields, "disableSpanReporting", "off");
  const samplingByRequestId = switched(fields, "useRequestIdForTraceSampling", "on");
  const istioTags = switched(fields, "enableIstioTags", "on");
  const propagation = switched(fields, "disableContextPropagation", "off");
  return {
    line: fields.line,
    mode: workloadMode(fields),
    providers: fields.list("providers").map((provider) => textIn(provider, "name")),
    ...(reporting && { reporting }),
    ...(sampling && { samplingPercentage: numberIn(fields, "randomSamplingPercentage") }),
    ...(fields.has("customTags") && { customTags: customTags(fields.section("customTags")) }),
    ...(samplingByRequestId && { samplingByRequestId }),
    ...(istioTags && { istioTags }),
    ...(propagation && { propagation }),
  };
}

/** @param whenTrue what the flag turns, as some turn things off */
function switched(fields: Fields, name: string, whenTrue: Switch): Switch | undefined {
  if (!fields.has(name)) return undefined;
  return flagIn(fields, name) === (whenTrue === "on") ? "on" : "off";
}
