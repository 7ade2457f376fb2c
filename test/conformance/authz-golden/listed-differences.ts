/**
 * Where the configuration that is made here is meant to be another than istiod's: each difference rewrites what upstream
 * expects, and all that is left must be the same (docs/reference/conformance-excluded.md names them).
 */
import { templateRegex } from "../../../src/envoy/authorization/path-templates.ts";
import { isObject, type Json, type JsonObject, normalJson, rewritten } from "./rbac-json.ts";

/** AP-90: a `*` in a namespace stays within its segment. */
function namespaceWildcards(object: JsonObject): JsonObject {
  const { regex } = object;
  const [, name] = typeof regex === "string" ? (/^\.\*\/ns\/(.*)\/\.\*$/.exec(regex) ?? []) : [];
  if (name === undefined) return object;
  return { ...object, regex: `.*/ns/${name.replaceAll(".*", "[^/]*")}/.*` };
}

/** AP-45c: a sidecar knows its peer by the connection, not by filter state. */
function peerByConnection(object: JsonObject): JsonObject {
  const { filterState, ...others } = object;
  if (!isObject(filterState) || filterState["key"] !== "io.istio.peer_principal") return object;
  const { stringMatch = null } = filterState;
  return { ...others, authenticated: { principalName: stringMatch } };
}

/** AP-72: where a match keeps out, an operator of a template stands for any byte; with ALLOW that is below `notRule`. */
function templatesThatKeepOut(object: JsonObject): JsonObject {
  const { notRule } = object;
  if (notRule === undefined) return object;
  return { ...object, notRule: rewritten(notRule, anyByte) };
}

function anyByte(object: JsonObject): JsonObject {
  const { uriTemplate, ...others } = object;
  if (!isObject(uriTemplate) || !isObject(uriTemplate["typedConfig"])) return object;
  const template = String(uriTemplate["typedConfig"]["pathTemplate"])
    .split("/")
    .map((segment) => (/^\*+$/.test(segment) ? `{${segment}}` : segment))
    .join("/");
  const regex = templateRegex(template, "any-byte");
  return { ...others, urlPath: { path: { safeRegex: { regex } } } };
}

/** AP-123: each authorizer's word under a name of its own, and whole names compared. */
function authorizersApart(object: JsonObject): JsonObject {
  const { shadowRulesStatPrefix, key, prefix } = object;
  return {
    ...object,
    ...(shadowRulesStatPrefix === "istio_ext_authz_" && {
      shadowRulesStatPrefix: "istio_ext_authz_default_",
    }),
    ...(key === "istio_ext_authz_shadow_effective_policy_id" && {
      key: "istio_ext_authz_default_shadow_effective_policy_id",
    }),
    ...(prefix === "istio-ext-authz-default" && { prefix: "istio-ext-authz-default-ns[" }),
  };
}

/** EA-20: an answer may not change what others rely on, and each authorizer has statistics of its own. */
function answersInBounds(object: JsonObject): JsonObject {
  const type = String(object["@type"]);
  if (type.endsWith("filters.network.ext_authz.v3.ExtAuthz"))
    return { ...object, statPrefix: `${object["statPrefix"]}default.` };
  if (!type.endsWith("filters.http.ext_authz.v3.ExtAuthz")) return object;
  const { filterEnabledMetadata = null, ...others } = object;
  return {
    ...others,
    decoderHeaderMutationRules: {
      disallowExpression: { regex: "(?i)(?::.*|host|x-envoy-.*|x-forwarded-client-cert)" },
    },
    filterEnabledMetadata,
    statPrefix: "default",
    validateMutations: true,
  };
}

/** The same by its number. */
function statusByNumber(object: JsonObject): JsonObject {
  return object["code"] === "Forbidden" ? { ...object, code: 403 } : object;
}

const DIFFERENCES: readonly ((object: JsonObject) => JsonObject)[] = [
  namespaceWildcards,
  peerByConnection,
  templatesThatKeepOut,
  authorizersApart,
  answersInBounds,
  statusByNumber,
];

/** What upstream expects, as it would be here. @param expected in one spelling */
export function asHere(expected: Json): Json {
  return normalJson(DIFFERENCES.reduce(rewritten, expected));
}
