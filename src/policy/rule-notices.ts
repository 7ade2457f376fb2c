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
    for (const field of checkedFields(rule)) {
      for (const [item, value] of field.values.entries()) {
        if (notices.isFull) return toldOf(notices);
        const message = problemOf(value, field, { policy, inventory });
        if (message === undefined) continue;
        const source = { file: policy.meta.source.file, line: rule.line };
        const path = `spec.rules[${index}].${field.path()}[${item}]`;
        notices.add({ source, path, message }, message);
      }
    }
  }
  return toldOf(notices);
}

/** A list of values that something can be said of. */
interface CheckedField extends RuleField {
  readonly values: readonly string[];
  /** From its rule; asked of few. */
  readonly path: () => string;
}

/** Most fields are about paths and methods, of which there is nothing to say. */
function checkedFields({ from, to, when }: AuthorizationRule): readonly CheckedField[] {
  const fields: CheckedField[] = [];
  const add = (field: RuleField, values: readonly string[] | undefined, path: () => string) => {
    if (values !== undefined && values.length > 0 && CHECKS.has(field.attribute))
      fields.push({ ...field, values, path });
  };
  for (const [index, source] of from.entries())
    for (const name of SOURCE_FIELDS)
      add(SOURCE_RULE_FIELDS[name], source[name], () => `from[${index}].source.${name}`);
  for (const [index, operation] of to.entries())
    for (const name of OPERATION_FIELDS)
      add(OPERATION_RULE_FIELDS[name], operation[name], () => `to[${index}].operation.${name}`);
  for (const [index, { key, values, notValues }] of when.entries()) {
    const attribute = conditionAttribute(key);
    if (attribute === undefined) continue;
    add({ attribute, demands: "one" }, values, () => `when[${index}].values`);
    add({ attribute, demands: "none" }, notValues, () => `when[${index}].notValues`);
  }
  return fields;
}

interface ValueContext {
  readonly inventory: MeshInventory;
  readonly policy: AuthorizationPolicy;
  /** What a value does to nobody, or nothing. */
  readonly verb: "matches" | "excludes";
}

type ValueCheck = (value: string, context: ValueContext) => string | undefined;

const CHECKS: ReadonlyMap<TrafficAttribute, ValueCheck> = new Map([
  [PRINCIPAL, onceForAll(checkPrincipal)],
  [NAMESPACE, onceForAll(checkNamespace)],
  [SERVICE_ACCOUNT, checkServiceAccount],
  [DESTINATION_PORT, checkPort],
]);

function problemOf(
  value: string,
  { attribute, demands }: RuleField,
  context: Omit<ValueContext, "verb">,
): string | undefined {
  const verb = demands === "one" ? "matches" : "excludes";
  const problem = CHECKS.get(attribute)?.(value, { ...context, verb });
  return problem === undefined ? undefined : `${quoted(value)} ${problem}`;
}

/** Of a check that asks nothing of the policy: thousands of rules name the same few, and who that is is looked for among all pods. */
function onceForAll(check: ValueCheck): ValueCheck {
  const known = new WeakMap<MeshInventory, Map<string, string | undefined>>();
  return (value, context) => {
    const { inventory, verb } = context;
    const problems = known.get(inventory) ?? new Map<string, string | undefined>();
    known.set(inventory, problems);
    const key = `${verb} ${value}`;
    if (!problems.has(key)) problems.set(key, check(value, context));
    return problems.get(key);
  };
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
