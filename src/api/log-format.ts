/** How the mesh configuration wants lines of access logs to be written: text or JSON, with Envoy's command operators. */
import type { Fields } from "./decoder.ts";
import { type LogOperator, parseLogTemplate } from "./log-template.ts";
import type { LogFormat } from "./mesh-settings.ts";
import { quoted } from "./quoted.ts";
import { isGiven, textIn } from "./webhook/written-values.ts";
import type { YamlNode } from "./yaml-documents.ts";

/** `accessLogEncoding` and `accessLogFormat`. */
export function meshLogFormat(config: Fields): LogFormat {
  const encoding = textIn(config, "accessLogEncoding") === "JSON" ? "JSON" : "TEXT";
  const template = textIn(config, "accessLogFormat");
  if (template === "") return { encoding };
  if (encoding === "JSON" && !isJsonObject(template)) {
    config.notice("accessLogFormat", "is not a JSON object; the default format is used");
    return { encoding };
  }
  tellUnknown(config, { field: "accessLogFormat", texts: textsOf({ encoding, template }) });
  return { encoding, template };
}

/** `logFormat` of a provider; without text and labels it is Istio's own. */
export function logFormat(fields: Fields, empty: "left out" | "written"): LogFormat {
  const omit = empty === "left out" ? { omitEmpty: true as const } : {};
  const text = textIn(fields, "text");
  if (text !== "") {
    tellUnknown(fields, { field: "text", texts: [text] });
    return { encoding: "TEXT", template: text, ...omit };
  }
  if (!fields.mentions("labels")) return { encoding: "TEXT", ...omit };
  if (!isGiven(fields, "labels")) return { encoding: "JSON", ...omit };
  const template = JSON.stringify(jsonOf(fields.map.entries.get("labels")?.node));
  const format: LogFormat = { encoding: "JSON", template, ...omit };
  tellUnknown(fields, { field: "labels", texts: textsOf(format) });
  return format;
}

/** All texts of a template, in which operators may stand. */
function textsOf({ encoding, template = "" }: LogFormat): readonly string[] {
  return encoding === "TEXT" ? [template] : textsIn(JSON.parse(template));
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

/** One notice for all that sidecars cannot tell: each is written as "-". */
function tellUnknown(
  fields: Fields,
  { field, texts }: { readonly field: string; readonly texts: readonly string[] },
): void {
  const parts = texts.flatMap((text) => parseLogTemplate(text));
  const unknown = parts.filter((part): part is LogOperator => "name" in part && !part.known);
  if (unknown.length === 0) return;
  const names = [...new Set(unknown.map(({ written }) => quoted(written)))].join(", ");
  fields.notice(field, `has ${names}, which sidecars cannot tell: written as "-"`);
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** What the schema lets through is data. */
function jsonOf(node: YamlNode | undefined): unknown {
  if (node === undefined) return null;
  if (node.type === "list") return node.items.map(jsonOf);
  if (node.type === "scalar") return node.value;
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, jsonOf(entry.node)]));
}
