/** What is allowed in an AuthorizationPolicy, but probably not what its author meant (VAL-34). */
import type {
  AuthorizationAction,
  AuthorizationRule,
  AuthorizationSource,
} from "./authorization-policy.ts";
import { asksOfHttp, isNarrowedOnTcp, namesPorts, type RuleOutline } from "./http-conditions.ts";
import { literalStarAdvice } from "./literal-star.ts";
import { quoted } from "./quoted.ts";

/** Advice on one value of a field; undefined when there is none. */
export function valueAdvice(field: string, value: string): string | undefined {
  const plain = field.replace(/^not(?=[A-Z])/, "");
  const name = plain.charAt(0).toLowerCase() + plain.slice(1);
  return ADVICE.get(name)?.(value) ?? literalStarAdvice(name, value);
}

const ADVICE: ReadonlyMap<string, (value: string) => string | undefined> = new Map([
  ["methods", methodAdvice],
  ["principals", principalAdvice],
  ["source.principal", principalAdvice],
  ["requestPrincipals", requestPrincipalAdvice],
  ["request.auth.principal", requestPrincipalAdvice],
  ["namespaces", namespaceAdvice],
  ["source.namespace", namespaceAdvice],
  ["paths", pathAdvice],
]);

/** Advice on a rule as a whole. */
export function ruleAdvice(
  rule: AuthorizationRule,
  action: AuthorizationAction,
): readonly string[] {
  if (action === "DENY") return [];
  return [
    ...(rule.from.some(admitsUnidentified) ? [ONLY_NOT_IDENTITY] : []),
    ...(action === "CUSTOM" ? delegationAdvice(outlineOf(rule)) : []),
  ];
}

/** AP-62, AP-65 */
function delegationAdvice(rule: RuleOutline): readonly string[] {
  if (!asksOfHttp(rule) || namesPorts(rule)) return [];
  const connections = isNarrowedOnTcp(rule)
    ? "every connection that meets the rest of it"
    : "every connection in scope";
  return [
    `has HTTP conditions, which are ignored on TCP ports: ${connections} is delegated there, and refused as long as no authorizer can be asked (AP-65); name the ports it is for`,
  ];
}

function outlineOf({ from, to, when }: AuthorizationRule): RuleOutline {
  return {
    from: from.map((source) => Object.keys(source)),
    to: to.map((operation) => Object.keys(operation)),
    when: when.map(({ key }) => key),
  };
}

const ONLY_NOT_IDENTITY =
  "says only who the caller must not be, so callers without any identity are allowed too";

const IDENTITY_FIELDS = [
  "principals",
  "requestPrincipals",
  "namespaces",
  "serviceAccounts",
  "trustDomains",
] as const;
const NOT_IDENTITY_FIELDS = [
  "notPrincipals",
  "notRequestPrincipals",
  "notNamespaces",
  "notServiceAccounts",
  "notTrustDomains",
] as const;

/** AP-45b */
function admitsUnidentified(source: AuthorizationSource): boolean {
  const excludes = NOT_IDENTITY_FIELDS.some((field) => source[field]);
  return excludes && !IDENTITY_FIELDS.some((field) => source[field]);
}

function methodAdvice(method: string): string | undefined {
  if (method === method.toUpperCase()) return undefined;
  return `${quoted(method)} never matches a request in upper case: methods are case-sensitive`;
}

function principalAdvice(principal: string): string | undefined {
  if (!principal.startsWith("spiffe://")) return undefined;
  return `${quoted(principal)} never matches: write the identity without spiffe://`;
}

function requestPrincipalAdvice(principal: string): string | undefined {
  if (principal.includes("/") || principal.includes("*")) return undefined;
  return `${quoted(principal)} never matches: the form is issuer/subject`;
}

function namespaceAdvice(namespace: string): string | undefined {
  if (!namespace.startsWith("*") || namespace === "*") return undefined;
  return `${quoted(namespace)} matches only the ends of namespaces here; in Istio it can match every identity (AP-90)`;
}

function pathAdvice(path: string): string | undefined {
  if (/[?#]/.test(path)) {
    return `${quoted(path)} never matches: paths are compared without query and fragment`;
  }
  if (/^(\/|\*|\{\*\*\}|$)/.test(path)) return undefined;
  return `${quoted(path)} matches no ordinary path, since those begin with "/"`;
}
