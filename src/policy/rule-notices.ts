/**
 * Values of AuthorizationPolicy rules that match less than they seem to: identities of nobody, and ports that nothing
 * selected has.
 */
import {
  type AuthorizationPolicy,
  type AuthorizationRule,
  OPERATION_FIELDS,
  SOURCE_FIELDS,
} from "../api/authorization-policy.ts";
import { BoundedList } from "../api/bounded-list.ts";
import { quoted } from "../api/quoted.ts";
import type { Notice } from "../api/resource.ts";
import { toldOf } from "./bounded-notices.ts";
import { identityProblem, namespaceProblem } from "./identity-problem.ts";
import type { MeshInventory } from "./mesh-inventory.ts";
import { portProblem } from "./port-notices.ts";
import { unlessElsewhere } from "./remote-cluster-notices.ts";
import {
  conditionAttribute,
  OPERATION_RULE_FIELDS,
  type RuleField,
  SOURCE_RULE_FIELDS,
} from "./rule-field.ts";
import {
  DESTINATION_PORT,
  NAMESPACE,
  PRINCIPAL,
  SERVICE_ACCOUNT,
  type TrafficAttribute,
} from "./traffic-attribute.ts";
import { LOCAL_TRUST_DOMAIN } from "./trust-domain-aliases.ts";

/** Words of one policy that are the same are told once, at the first place. */
export function ruleNotices(
  policy: AuthorizationPolicy,
  inventory: MeshInventory,
): readonly Notice[] {
  const notices = new BoundedList<Notice>();
  for (const [index, rule] of policy.rules.entries()) {
    for (const written of writtenValues(rule, `spec.rules[${index}]`)) {
      if (notices.isFull) return toldOf(notices);
      const message = problemOf(written, { policy, inventory });
      if (message === undefined) continue;
      const source = { file: policy.meta.source.file, line: rule.line };
      notices.add({ source, path: written.path, message }, message);
    }
  }
  return toldOf(notices);
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
  readonly policy: AuthorizationPolicy;
  /** What a value does to nobody, or nothing. */
  readonly verb: "matches" | "excludes";
}

type ValueCheck = (value: string, context: ValueContext) => string | undefined;

const CHECKS: ReadonlyMap<TrafficAttribute, ValueCheck> = new Map([
  [PRINCIPAL, checkPrincipal],
  [NAMESPACE, checkNamespace],
  [SERVICE_ACCOUNT, checkServiceAccount],
  [DESTINATION_PORT, checkPort],
]);

function problemOf(
  { value, attribute, demands }: WrittenValue,
  context: Omit<ValueContext, "verb">,
): string | undefined {
  const verb = demands === "one" ? "matches" : "excludes";
  const problem = CHECKS.get(attribute)?.(value, { ...context, verb });
  return problem === undefined ? undefined : `${quoted(value)} ${problem}`;
}

/** AP-45, AP-45d: only an exact value of five segments, in a trust domain of ours, is certain to name a workload. */
function checkPrincipal(value: string, { inventory, verb }: ValueContext): string | undefined {
  const [trustDomain = "", ns, namespace = "", sa, serviceAccount = "", ...rest] = value.split("/");
  const isOurs = [inventory.settings.trustDomain, LOCAL_TRUST_DOMAIN].includes(trustDomain);
  if (!isOurs || ns !== "ns" || sa !== "sa" || rest.length > 0) return undefined;
  if (value.includes("*") || namespace === "" || serviceAccount === "") return undefined;
  return identityProblem(inventory, {
    namespace,
    serviceAccount,
    effect: `${verb} nobody${unlessElsewhere(inventory)}`,
    inForm: (account) => `${trustDomain}/ns/${account.replace("/", "/sa/")}`,
  });
}

/** AP-46 */
function checkNamespace(value: string, { inventory, verb }: ValueContext): string | undefined {
  if (value.includes("*")) return undefined;
  const effect = `${verb} nobody${unlessElsewhere(inventory)}`;
  return namespaceProblem(inventory, { namespace: value, effect });
}

/** AP-47 */
function checkServiceAccount(
  value: string,
  { inventory, policy, verb }: ValueContext,
): string | undefined {
  const own = policy.meta.namespace;
  const [first = "", second] = value.split("/");
  const [namespace, serviceAccount] = second === undefined ? [own, first] : [first, second];
  const inForm = (account: string): string =>
    second === undefined && account.startsWith(`${own}/`) ? account.slice(own.length + 1) : account;
  const effect = `${verb} nobody${unlessElsewhere(inventory)}`;
  return identityProblem(inventory, { namespace, serviceAccount, effect, inForm });
}

/** AP-56, AP-93; what is no port at all is the webhook's matter. */
function checkPort(value: string, { inventory, policy, verb }: ValueContext): string | undefined {
  if (policy.targetRefs.length > 0 || !/^[1-9][0-9]*$/.test(value)) return undefined;
  const effect = `it ${verb} no declared port`;
  return portProblem({ port: Number(value), scope: policy, effect, rule: "AP-56" }, inventory);
}
