/** The tags that users add to spans, compiled into functions of the call. */
import { parseLogTemplate } from "../../api/log-template.ts";
import type { SpanTag } from "../../policy/workload-view.ts";
import { type LoggedCall, requestHeader } from "../logged-call.ts";
import { operatorValue } from "../operator-values.ts";

export interface TagValue {
  readonly name: string;
  /** "" for none. */
  readonly read: (call: LoggedCall) => string;
}

/** Of what a stranger wrote. */
const MAX_CHARACTERS = 1_024;

export function compileSpanTags(tags: readonly SpanTag[]): readonly TagValue[] {
  return tags.map((tag) => ({ name: tag.name, read: readerOf(tag) }));
}

function readerOf(tag: SpanTag): TagValue["read"] {
  if ("value" in tag) return () => tag.value;
  if ("template" in tag) return templateValue(tag.template);
  const { header, defaultValue } = tag;
  return (call) => (requestHeader(call, header) || defaultValue).slice(0, MAX_CHARACTERS);
}

/** What is absent, or unknown, is nothing. */
function templateValue(template: string): TagValue["read"] {
  const parts = parseLogTemplate(template).map((part) => {
    if ("text" in part) return () => part.text;
    const value = operatorValue(part);
    return (call: LoggedCall) => String(value?.(call) ?? "");
  });
  return (call) => parts.map((part) => part(call)).join("");
}
