/**
 * The structure of a Telemetry.
 * Source: https://istio.io/latest/docs/reference/config/telemetry/
 */

import { duration } from "../duration.ts";
import { targetRef, targetRefs } from "../parts/target-reference.ts";
import { workloadSelector } from "../parts/workload-selector.ts";
import { REMOVE_WITHOUT_VALUE, SELECTOR_OR_TARGETS, UPSERT_NEEDS_VALUE } from "../rules.ts";
import {
  choice,
  double,
  flag,
  list,
  mapOf,
  type ObjectSchema,
  object,
  resource,
  text,
} from "../schema.ts";

const tracing = object({
  customTags: mapOf(
    object(
      {
        environment: object(
          { defaultValue: text(), name: text({ minLength: 1 }) },
          { required: ["name"] },
        ),
        formatter: object({ value: text({ minLength: 1 }) }, { required: ["value"] }),
        header: object(
          { defaultValue: text(), name: text({ minLength: 1 }) },
          { required: ["name"] },
        ),
        literal: object({ value: text({ minLength: 1 }) }, { required: ["value"] }),
      },
      { atMostOneOf: [["literal", "environment", "header", "formatter"]] },
    ),
  ),
  disableContextPropagation: flag({ nullable: true }),
  disableSpanReporting: flag({ nullable: true }),
  enableIstioTags: flag({ nullable: true }),
  match: object({ mode: choice(["CLIENT_AND_SERVER", "CLIENT", "SERVER"]) }),
  providers: list(object({ name: text({ minLength: 1 }) }, { required: ["name"] })),
  randomSamplingPercentage: double({ min: 0, max: 100, nullable: true }),
  useRequestIdForTraceSampling: flag({ nullable: true }),
});

const metrics = object({
  overrides: list(
    object({
      disabled: flag({ nullable: true }),
      match: object(
        {
          customMetric: text({ minLength: 1 }),
          metric: choice([
            "ALL_METRICS",
            "REQUEST_COUNT",
            "REQUEST_DURATION",
            "REQUEST_SIZE",
            "RESPONSE_SIZE",
            "TCP_OPENED_CONNECTIONS",
            "TCP_CLOSED_CONNECTIONS",
            "TCP_SENT_BYTES",
            "TCP_RECEIVED_BYTES",
            "GRPC_REQUEST_MESSAGES",
            "GRPC_RESPONSE_MESSAGES",
          ]),
          mode: choice(["CLIENT_AND_SERVER", "CLIENT", "SERVER"]),
        },
        { atMostOneOf: [["metric", "customMetric"]] },
      ),
      tagOverrides: mapOf(
        object(
          { operation: choice(["UPSERT", "REMOVE"]), value: text() },
          { rules: [UPSERT_NEEDS_VALUE, REMOVE_WITHOUT_VALUE] },
        ),
      ),
    }),
  ),
  providers: list(object({ name: text({ minLength: 1 }) }, { required: ["name"] })),
  reportingInterval: duration,
});

const accessLogging = object({
  disabled: flag({ nullable: true }),
  filter: object({ expression: text() }),
  match: object({ mode: choice(["CLIENT_AND_SERVER", "CLIENT", "SERVER"]) }),
  providers: list(object({ name: text({ minLength: 1 }) }, { required: ["name"] })),
});

const spec = object(
  {
    accessLogging: list(accessLogging),
    metrics: list(metrics),
    selector: workloadSelector,
    targetRef,
    targetRefs,
    tracing: list(tracing),
  },
  { rules: [SELECTOR_OR_TARGETS] },
);

export const telemetrySchema: ObjectSchema = resource(spec, "optional");
