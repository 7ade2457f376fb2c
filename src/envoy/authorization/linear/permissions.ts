/** What rules demand of an operation, as envoy.config.rbac.v3.Permission. */
import { formatCidr, parseCidr } from "../../../api/cidr.ts";
import { isPathTemplate } from "../../../api/path-template.ts";
import { filterMetadataDemand, type MetadataDemand } from "../claim-matchers.ts";
import { templateRegex, uriTemplate } from "../path-templates.ts";
import type { Demand } from "../rule-demands.ts";
import { regex, stringMatcher } from "../string-matchers.ts";
import { headerMatcher, hostMatcher } from "./header-matchers.ts";

export type Permission = Readonly<Record<string, unknown>>;

/** The port on which connections to a container port arrive; undefined: none do. */
export type PortOf = (containerPort: number) => number | undefined;

/** @returns undefined for what is said of the caller */
export function permission(demand: Demand, portOf: PortOf): Permission | undefined {
  const met = meets(demand, portOf);
  if (met === undefined) return undefined;
  return demand.wants === "one" ? met : { notRule: met };
}

export function allOf(rules: readonly Permission[]): Permission {
  return { andRules: { rules: rules.length === 0 ? [{ any: true }] : rules } };
}

export const NEVER_PERMITTED: Permission = { notRule: { any: true } };

function meets({ subject, values, meeting }: Demand, portOf: PortOf): Permission | undefined {
  const { about } = subject;
  switch (about) {
    case "host":
      return anyOf(values.map((value) => ({ header: hostMatcher(value) })));
    case "method":
      return anyOf(values.map((value) => ({ header: headerMatcher(":method", value) })));
    case "path":
      return anyOf(values.map((value) => path(value, meeting)));
    case "port":
      return ports(values, portOf);
    case "destination address":
      return anyOf(values.map((value) => ({ destinationIp: range(value) })));
    case "server name":
      return anyOf(values.map((value) => ({ requestedServerName: stringMatcher(value) })));
    case "filter metadata":
      return { metadata: metadataMatcher(filterMetadataDemand(subject, values)) };
    default:
      return undefined;
  }
}

function anyOf(rules: readonly Permission[]): Permission {
  return { orRules: { rules } };
}

/** Any other ends the process of Envoy 1.40 instead of being refused. */
const ENVOY_TEMPLATE = /^\/(?!.*\/\/)(?!\/)(?!(?:.*\{\*+\}){6})/;

function path(value: string, meeting: Demand["meeting"]): Permission {
  if (!isPathTemplate(value)) return { urlPath: { path: stringMatcher(value) } };
  // Bytes that Envoy's operators refuse would pass by what keeps out (AP-72).
  if (meeting === "keeps-out")
    return { urlPath: { path: regex(templateRegex(value, "any-byte")) } };
  if (!ENVOY_TEMPLATE.test(value))
    return { urlPath: { path: regex(templateRegex(value, "envoy-bytes")) } };
  const type = "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig";
  return {
    uriTemplate: {
      name: "uri-template",
      typedConfig: { "@type": `type.googleapis.com/${type}`, pathTemplate: uriTemplate(value) },
    },
  };
}

function ports(values: readonly string[], portOf: PortOf): Permission {
  const known = values.map((value) => portOf(Number(value))).filter((port) => port !== undefined);
  return known.length === 0
    ? NEVER_PERMITTED
    : anyOf(known.map((port) => ({ destinationPort: port })));
}

/** envoy.config.core.v3.CidrRange */
export function range(value: string): Readonly<Record<string, unknown>> {
  const parsed = parseCidr(value);
  if (parsed === undefined) throw new RangeError(`${value} is no address and no range`);
  const [addressPrefix = "", length = ""] = formatCidr(parsed).split("/");
  return { addressPrefix, prefixLen: Number(length) };
}

/** envoy.type.matcher.v3.MetadataMatcher */
export function metadataMatcher({
  filter,
  path: keys,
  value,
}: MetadataDemand): Readonly<Record<string, unknown>> {
  return { filter, path: keys.map((key) => ({ key })), value };
}
