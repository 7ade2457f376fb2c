/** What istiod's webhook demands of a Telemetry, and what it warns of (VAL-50..VAL-54). */
import { celProblem } from "../cel-expression.ts";
import type { Fields } from "../decoder.ts";
import { checkWorkloadSelector } from "../label-selector.ts";
import { checkTargetRefs } from "../target-refs.ts";
import type { WebhookRequest } from "./webhook.ts";

export function validateTelemetry({ spec }: WebhookRequest): void {
  checkTargetRefs(spec);
  checkWorkloadSelector(spec);
  for (const metrics of spec.list("metrics")) checkMetrics(metrics);
  const tracing = spec.list("tracing");
  if (tracing.length > 1) spec.notice("tracing", "has several items; only the first has an effect");
  for (const trace of tracing) checkTracing(trace);
  for (const logging of spec.list("accessLogging")) checkProviders(logging);
  checkFilters(spec.list("accessLogging"));
}

/** Parsing takes microseconds a character; what is not parsed is refused. */
const MOST_EXPRESSIONS = 200_000;

/** VAL-50 */
function checkFilters(loggings: readonly Fields[]): void {
  let characters = 0;
  for (const filter of loggings.flatMap(filterOf)) {
    const expression = filter.text("expression") ?? "";
    const problem =
      characters > MOST_EXPRESSIONS
        ? `is not read: the filters before it have more than ${MOST_EXPRESSIONS} characters`
        : celProblem(expression);
    characters += expression.length;
    if (problem !== undefined) filter.report("expression", problem);
  }
}

function filterOf(logging: Fields): readonly Fields[] {
  return logging.has("filter") ? [logging.section("filter")] : [];
}

/** VAL-51 */
function checkProviders(fields: Fields): void {
  for (const provider of fields.list("providers")) {
    if (!provider.text("name")) provider.report("name", "is missing: a provider needs a name");
  }
}

/** VAL-53 */
function checkTracing(trace: Fields): void {
  checkProviders(trace);
  if (trace.itemCount("providers") > 1) {
    trace.notice("providers", "has several providers; only the first has an effect");
  }
  const percentage = trace.scalar("randomSamplingPercentage")?.value;
  if (typeof percentage === "number" && !(percentage >= 0 && percentage <= 100)) {
    trace.report("randomSamplingPercentage", `is ${percentage}; expected a number from 0 to 100`);
  }
  const tags = trace.section("customTags");
  for (const name of tags.names()) checkCustomTag(tags, name);
}

const TAG_TEXTS = { literal: "value", header: "name", environment: "name" } as const;

function checkCustomTag(tags: Fields, name: string): void {
  if (name === "") tags.report(name, "must not be an empty name");
  if (!tags.has(name)) tags.report(name, "is empty; expected a map");
  const tag = tags.section(name);
  for (const [type, field] of Object.entries(TAG_TEXTS)) {
    if (!tag.has(type)) continue;
    const text = tag.section(type);
    if (!text.text(field)) text.report(field, "is missing: it must not be empty");
  }
}

/** VAL-52 */
function checkMetrics(metrics: Fields): void {
  checkProviders(metrics);
  for (const override of metrics.list("overrides")) {
    const tags = override.section("tagOverrides");
    for (const name of tags.names()) {
      if (tags.has(name)) checkTagOverride(tags, name);
      else tags.report(name, "is empty; expected a map");
    }
    const match = override.section("match");
    if (match.text("customMetric") === "") {
      match.report("customMetric", "must not be empty");
    }
  }
}

function checkTagOverride(tags: Fields, name: string): void {
  if (name === "") tags.notice(name, "is an empty name, which no metric has");
  const tag = tags.section(name);
  const operation = tag.choice("operation", ["UPSERT", "REMOVE"], "UPSERT");
  const value = tag.text("value") ?? "";
  if (operation === "UPSERT" && value === "") {
    tag.report("value", "is missing: UPSERT needs the value to set");
  } else if (operation === "REMOVE" && value !== "") {
    tag.report("value", "must not be given with REMOVE");
  }
}
