/** Which requests an HTTP route is for. */
import {
  flag,
  type ListSchema,
  list,
  type MapSchema,
  mapOf,
  type ObjectSchema,
  object,
  text,
  uint32,
} from "../schema.ts";

export const stringMatch: ObjectSchema = object(
  { exact: text(), prefix: text(), regex: text() },
  { atMostOneOf: [["exact", "prefix", "regex"]] },
);

export const stringMatches: MapSchema = mapOf(stringMatch);

export const httpMatch: ListSchema = list(
  object({
    authority: stringMatch,
    gateways: list(text()),
    headers: stringMatches,
    ignoreUriCase: flag(),
    method: stringMatch,
    name: text(),
    port: uint32(),
    queryParams: stringMatches,
    scheme: stringMatch,
    sourceLabels: mapOf(text()),
    sourceNamespace: text(),
    statPrefix: text(),
    uri: stringMatch,
    withoutHeaders: stringMatches,
  }),
);
