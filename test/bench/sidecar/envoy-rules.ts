/** Authorization rules as istiod writes them for Envoy: one list for DENY and one for ALLOW, looked through from the start. */
import type { MixedRule } from "../policy/mixed-rules.ts";

const EXTENSIONS = "type.googleapis.com/envoy.extensions.filters";
/** The one rule that lets our caller in. */
const ALLOWS_CALLER: MixedRule = {
  action: "ALLOW",
  principals: ["cluster.local/ns/production/sa/frontend"],
  methods: ["GET", "POST"],
  paths: ["/*"],
};

/** @returns filters; each matches what the rules of its action say */
export function roleBasedAccess(
  level: "http" | "network",
  rules: readonly MixedRule[],
): readonly unknown[] {
  const all = level === "http" ? [...rules, ALLOWS_CALLER] : [withoutHttp(ALLOWS_CALLER)];
  const filter = (action: "ALLOW" | "DENY"): readonly unknown[] => {
    const own = all.filter((rule) => rule.action === action);
    if (own.length === 0) return [];
    const policies = own.map((rule, index) => [policyName(index), policyOf(rule)] as const);
    return [
      {
        name: `rbac-${action.toLowerCase()}`,
        typed_config: {
          "@type": `${EXTENSIONS}.${level}.rbac.v3.RBAC`,
          ...(level === "network" && { stat_prefix: "tcp." }),
          rules: { action, policies: Object.fromEntries(policies) },
        },
      },
    ];
  };
  return [...filter("DENY"), ...filter("ALLOW")];
}

/** A TCP port knows no methods and paths. */
function withoutHttp({ action, principals }: MixedRule): MixedRule {
  return { action, ...(principals && { principals }) };
}

/** Envoy looks through policies in the order of their names; ours keep that of the rules. */
function policyName(index: number): string {
  return `ns[production]-policy[bench]-rule[${String(index).padStart(6, "0")}]`;
}

function policyOf(rule: MixedRule): unknown {
  return {
    permissions: [{ and_rules: { rules: orAny(permissionsOf(rule)) } }],
    principals: [{ and_ids: { ids: orAny(principalsOf(rule)) } }],
  };
}

function orAny(all: readonly unknown[]): readonly unknown[] {
  return all.length > 0 ? all : [{ any: true }];
}

function permissionsOf({ hosts, methods, paths, notPaths, ports }: MixedRule): readonly unknown[] {
  return [
    ...oneOf(hosts, (host) => ({
      header: headerMatch(":authority", { value: host, ignoreCase: true }),
    })),
    ...oneOf(methods, (method) => ({ header: headerMatch(":method", { value: method }) })),
    ...oneOf(paths, pathMatch),
    ...oneOf(notPaths, pathMatch).map((not_rule) => ({ not_rule })),
    ...oneOf(ports, (port) => ({ destination_port: Number(port) })),
  ];
}

function principalsOf({
  principals,
  notPrincipals,
  namespaces,
  header,
}: MixedRule): readonly unknown[] {
  const any = [
    ...oneOf(principals, principalMatch, "or_ids"),
    ...oneOf(notPrincipals, principalMatch, "or_ids").map((not_id) => ({ not_id })),
    ...oneOf(namespaces, namespaceMatch, "or_ids"),
  ];
  if (header === undefined) return any;
  const match = (value: string): unknown => ({ header: headerMatch(header.name, { value }) });
  return [...any, ...oneOf(header.values, match, "or_ids")];
}

/** Nothing for a field that is absent. */
function oneOf(
  values: readonly string[] | undefined,
  match: (value: string) => unknown,
  list: "or_rules" | "or_ids" = "or_rules",
): readonly unknown[] {
  if (values === undefined) return [];
  const held = values.map(match);
  return [{ [list]: list === "or_rules" ? { rules: held } : { ids: held } }];
}

/** AP-45 */
function principalMatch(value: string): unknown {
  const name = value.startsWith("*")
    ? regex(`spiffe://.*${quoted(value.slice(1))}`)
    : stringMatch(`spiffe://${value}`);
  return { authenticated: { principal_name: name } };
}

/** AP-46 */
function namespaceMatch(value: string): unknown {
  return { authenticated: { principal_name: regex(`.*/ns/${quoted(value)}/.*`) } };
}

function pathMatch(value: string): unknown {
  return { url_path: { path: stringMatch(value) } };
}

function headerMatch(
  name: string,
  { value, ignoreCase }: { readonly value: string; readonly ignoreCase?: true },
): unknown {
  return {
    name,
    string_match: { ...stringMatch(value), ...(ignoreCase && { ignore_case: true }) },
  };
}

function stringMatch(value: string): object {
  if (value.endsWith("*")) return { prefix: value.slice(0, -1) };
  return value.startsWith("*") ? { suffix: value.slice(1) } : { exact: value };
}

function regex(text: string): object {
  return { safe_regex: { regex: text } };
}

function quoted(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
