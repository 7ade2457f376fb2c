/** Values of AuthorizationPolicy rules that match less than they seem to: identities of nobody, and wildcards that are none. */
import {
  type AuthorizationPolicy,
  type AuthorizationRule,
  OPERATION_FIELDS,
  SOURCE_FIELDS,
} from "../api/authorization-policy.ts";
import { isPathTemplate, pathProblem } from "../api/path-template.ts";
import { quoted } from "../api/quoted.ts";
import type { Notice } from "../api/resource.ts";
import { parseStringMatch } from "../api/string-match.ts";
import { identityProblem, namespaceProblem } from "./identity-problem.ts";
import type { MeshInventory } from "./mesh-inventory.ts";
import {
  conditionAttribute,
  OPERATION_RULE_FIELDS,
  type RuleField,
  SOURCE_RULE_FIELDS,
} from "./rule-field.ts";
import {
  NAMESPACE,
  PATH,
  PRINCIPAL,
  SERVICE_ACCOUNT,
  type TrafficAttribute,
} from "./traffic-attribute.ts";
import { LOCAL_TRUST_DOMAIN } from "./trust-domain-aliases.ts";

/** Words of one policy that are the same are told once, at the first place. */
export function ruleNotices(policy: AuthorizationPolicy, inventory: MeshInventory): Notice[] {
  const told = new Map<string, Notice>();
  for (const [index, rule] of policy.rules.entries()) {
    for (const written of writtenValues(rule, `spec.rules[${index}]`)) {
      const message = problemOf(written, { namespace: policy.meta.namespace, inventory });
      if (message === undefined || told.has(message)) continue;
      const source = { file: policy.meta.source.file, line: rule.line };
      told.set(message, { source, path: written.path, message });
    }
  }
  return [...told.values()];
}

interface WrittenValue extends RuleField {
  readonly path: string;
  readonly value: string;
}

function writtenValues({ from, to, when }: AuthorizationRule, path: string): WrittenValue[] {
  return [
    ...from.flatMap((source, index) =>
      SOURCE_FIELDS.flatMap((name) =>
        itemsOf(source[name] ?? [], {
          ...SOURCE_RULE_FIELDS[name],
          path: `${path}.from[${index}].source.${name}`,
        }),
      ),
    ),
    ...to.flatMap((operation, index) =>
      OPERATION_FIELDS.flatMap((name) =>
        itemsOf(operation[name] ?? [], {
          ...OPERATION_RULE_FIELDS[name],
          path: `${path}.to[${index}].operation.${name}`,
        }),
      ),
    ),
    ...when.flatMap(({ key, values, notValues }, index) => {
      const attribute = conditionAttribute(key);
      if (attribute === undefined) return [];
      const at = `${path}.when[${index}]`;
      return [
        ...itemsOf(values, { attribute, demands: "one", path: `${at}.values` }),
        ...itemsOf(notValues, { attribute, demands: "none", path: `${at}.notValues` }),
      ];
    }),
  ];
}

function itemsOf(
  values: readonly string[],
  { path, ...field }: RuleField & { readonly path: string },
): WrittenValue[] {
  return values.map((value, item) => ({ ...field, path: `${path}[${item}]`, value }));
}

interface ValueContext {
  readonly inventory: MeshInventory;
  /** The policy's own. */
  readonly namespace: string;
  /** What a value does that is nobody's. */
  readonly effect: string;
}

type ValueCheck = (value: string, context: ValueContext) => string | undefined;

const CHECKS: ReadonlyMap<TrafficAttribute, ValueCheck> = new Map([
  [PRINCIPAL, checkPrincipal],
  [NAMESPACE, checkNamespace],
  [SERVICE_ACCOUNT, checkServiceAccount],
  [PATH, checkPath],
]);

function problemOf(
  { value, attribute, demands }: WrittenValue,
  context: Omit<ValueContext, "effect">,
): string | undefined {
  const effect = demands === "one" ? "matches nobody" : "excludes nobody";
  const problem = CHECKS.get(attribute)?.(value, { ...context, effect });
  return problem === undefined ? undefined : `${quoted(value)} ${problem}`;
}

/** AP-42, AP-45, AP-45d: only an exact value of five segments, in a trust domain of ours, is certain to name a workload. */
function checkPrincipal(value: string, { inventory, effect }: ValueContext): string | undefined {
  if (hasLiteralStar(value)) {
    return `has a * elsewhere than at one end, which stands for itself (AP-42), so it ${effect}; write one * at the start or at the end`;
  }
  const [trustDomain = "", ns, namespace = "", sa, serviceAccount = "", ...rest] = value.split("/");
  const isOurs = [inventory.settings.trustDomain, LOCAL_TRUST_DOMAIN].includes(trustDomain);
  if (!isOurs || ns !== "ns" || sa !== "sa" || rest.length > 0) return undefined;
  if (value.includes("*") || namespace === "" || serviceAccount === "") return undefined;
  return identityProblem(inventory, {
    namespace,
    serviceAccount,
    effect,
    inForm: (account) => `${trustDomain}/ns/${account.replace("/", "/sa/")}`,
  });
}

/** AP-46 */
function checkNamespace(value: string, { inventory, effect }: ValueContext): string | undefined {
  if (value.includes("*")) return undefined;
  return namespaceProblem(inventory, { namespace: value, effect });
}

/** AP-47 */
function checkServiceAccount(
  value: string,
  { inventory, namespace: own, effect }: ValueContext,
): string | undefined {
  const [first = "", second] = value.split("/");
  const [namespace, serviceAccount] = second === undefined ? [own, first] : [first, second];
  const inForm = (account: string): string =>
    second === undefined && account.startsWith(`${own}/`) ? account.slice(own.length + 1) : account;
  return identityProblem(inventory, { namespace, serviceAccount, effect, inForm });
}

/** AP-42, AP-70 */
function checkPath(value: string): string | undefined {
  if (isPathTemplate(value) || !hasLiteralStar(value)) return undefined;
  const template = value
    .split("/")
    .map((segment) => (/^\*\*?$/.test(segment) ? `{${segment}}` : segment))
    .join("/");
  const isMeant =
    template.startsWith("/") &&
    !/(?<!\{|\{\*)\*/.test(template) &&
    pathProblem(template) === undefined;
  const hint = isMeant ? `did you mean ${template}?` : "write {*} for one whole segment";
  return `has a * elsewhere than at one end, which stands for itself (AP-42), so it matches only paths that have a * there; ${hint}`;
}

function hasLiteralStar(value: string): boolean {
  const match = parseStringMatch(value);
  return match.kind !== "present" && match.text.includes("*");
}
