/**
 * How lines of access logs are written, in Envoy's terms. Envoy refuses a whole listener for one operator that it cannot
 * read, so whatever is in doubt is written as the "-" that our own sidecars write for it.
 */
import { ISTIO_JSON, ISTIO_TEXT } from "../../api/istio-log-formats.ts";
import { type LogOperator, parseLogTemplate } from "../../api/log-template.ts";
import type { LogFormat } from "../../api/mesh-settings.ts";
import { typeUrl } from "../envoy-json.ts";
import { remembered } from "../remembered.ts";

/** `envoy.config.core.v3.SubstitutionFormatString` */
export type SubstitutionFormat = Readonly<Record<string, unknown>>;

export const substitutionFormat: (format: LogFormat) => SubstitutionFormat = remembered(formatOf);

function formatOf(format: LogFormat): SubstitutionFormat {
  const { encoding, template, omitEmpty } = format;
  const written = template ?? "";
  const shape =
    encoding === "TEXT"
      ? { textFormatSource: { inlineString: `${readable(template ?? ISTIO_TEXT)}\n` } }
      : { jsonFormat: readableJson(template === undefined ? ISTIO_JSON : JSON.parse(written)) };
  return {
    ...shape,
    ...(omitEmpty && { omitEmptyValues: true }),
    ...(written.includes(WITHOUT_QUERY) && { formatters: [REQ_WITHOUT_QUERY] }),
  };
}

const WITHOUT_QUERY = "REQ_WITHOUT_QUERY";
const REQ_WITHOUT_QUERY = {
  name: "envoy.formatter.req_without_query",
  typedConfig: {
    "@type": typeUrl("envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery"),
  },
};

function readableJson(value: unknown): unknown {
  if (typeof value === "string") return readable(value);
  if (Array.isArray(value)) return value.map(readableJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, readableJson(inner)]),
  );
}

/** @returns the template with nothing in it that Envoy could not read */
export function readable(template: string): string {
  return parseLogTemplate(template.replace(/\n$/, ""))
    .map((part) =>
      "text" in part ? part.text.replaceAll("%", "%%").replaceAll("\n", " ") : operator(part),
    )
    .join("");
}

/** Of headers, whose names have to be given. */
const OF_HEADERS: ReadonlySet<string> = new Set(["REQ", "RESP", WITHOUT_QUERY]);
/** One name, or one and another where the first is absent. */
const HEADER_NAMES = /^:?[!#$&'*+.^_`|~0-9A-Za-z-]+(?:\?:?[!#$&'*+.^_`|~0-9A-Za-z-]+)?$/;

function operator({ name, argument, maxLength, known }: LogOperator): string {
  if (!known) return "-";
  if (OF_HEADERS.has(name)) {
    if (!HEADER_NAMES.test(argument)) return "-";
    return `%${name}(${argument})${maxLength === undefined ? "" : `:${maxLength}`}%`;
  }
  return name === "START_TIME" && argument !== "" ? `%${name}(${argument})%` : `%${name}%`;
}
