/** Tags that users add to spans, by a Telemetry or by `defaultConfig.tracing`. */
import type { Fields } from "./decoder.ts";
import { parseLogTemplate } from "./log-template.ts";
import { quoted } from "./quoted.ts";
import { textIn } from "./webhook/written-values.ts";

/** What is empty when a request is traced becomes no tag. */
export type CustomTag = { readonly name: string } & CustomTagValue;

type CustomTagValue =
  | { readonly literal: string }
  /** Of the sidecar. */
  | { readonly environment: string; readonly defaultValue: string }
  /** Of the request; in lower case. */
  | { readonly header: string; readonly defaultValue: string }
  /** With Envoy's command operators. */
  | { readonly template: string };

/** @param tags the map of tags, each under its name */
export function customTags(tags: Fields): readonly CustomTag[] {
  return tags.names().flatMap((name) => {
    const value = tagValue(tags.section(name));
    return value === undefined || name === "" ? [] : [{ name, ...value }];
  });
}

function tagValue(tag: Fields): CustomTagValue | undefined {
  if (tag.has("literal")) return { literal: textIn(tag.section("literal"), "value") };
  const defaultValue = (from: Fields): string => textIn(from, "defaultValue");
  if (tag.has("environment")) {
    const from = tag.section("environment");
    return { environment: textIn(from, "name"), defaultValue: defaultValue(from) };
  }
  if (tag.has("header")) {
    const from = tag.section("header");
    return { header: textIn(from, "name").toLowerCase(), defaultValue: defaultValue(from) };
  }
  return tag.has("formatter") ? template(tag.section("formatter")) : undefined;
}

function template(formatter: Fields): CustomTagValue {
  const written = textIn(formatter, "value");
  for (const part of parseLogTemplate(written)) {
    if ("text" in part || part.known) continue;
    formatter.notice("value", `has ${quoted(part.written)}, which sidecars cannot tell`);
  }
  return { template: written };
}
