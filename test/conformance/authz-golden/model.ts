/** What the translation of one rule says, and what it leaves out (AP-45d, AP-60..AP-62). */
import type { Trust } from "../../../src/policy/workload-view.ts";
import type { WrittenRule } from "../policy-evaluation.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { asHere } from "./listed-differences.ts";
import { isObject, normalJson } from "./rbac-json.ts";
import { demandsOfRule, type TranslationFrame, translatedRule } from "./translated-rule.ts";

type ModelCase = ConformanceCase & {
  readonly rule?: WrittenRule;
  /** "LOG" is Envoy's word for AUDIT. */
  readonly action?: "ALLOW" | "DENY" | "AUDIT" | "LOG";
  readonly forTCP?: boolean;
  readonly trustDomain?: string;
  readonly aliases?: readonly string[];
  readonly contains?: readonly string[];
  readonly notContains?: readonly string[];
  readonly attribute?: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
  readonly useAuthenticatedMatcher?: boolean;
  readonly expectedPrincipals?: readonly unknown[];
  readonly expectedPermissions?: readonly unknown[];
};

export const model: TableRunner = table<ModelCase>({
  fields: [
    "rule",
    "action",
    "forTCP",
    "trustDomain",
    "aliases",
    "contains",
    "notContains",
    "attribute",
    "values",
    "notValues",
    "useAuthenticatedMatcher",
    "expectedPrincipals",
    "expectedPermissions",
  ],
  run: (test) => (test.attribute === undefined ? runTexts(test) : runCondition(test)),
});

function runTexts(test: ModelCase): CaseOutcome {
  const { rule = {}, contains = [], notContains = [], trustDomain } = test;
  // Where upstream migrates trust domains, it looks at what is not translated yet.
  const told =
    trustDomain === undefined ? translated(test, rule) : demandsOfRule(rule, frameOf(test));
  const text = JSON.stringify(told) ?? "";
  const said = [...contains, ...notContains].filter((one) => text.includes(one));
  return compare({
    expected: `says ${[...contains].sort().join(", ")}`,
    got: `says ${[...new Set(said)].sort().join(", ")}`,
  });
}

function runCondition(test: ModelCase): CaseOutcome {
  const { attribute: key, values = [], notValues = [], expectedPermissions } = test;
  const policy = translated(test, { when: [{ key, values, notValues }] });
  const got =
    expectedPermissions === undefined
      ? members(policy?.["principals"], "andIds", "ids")
      : members(policy?.["permissions"], "andRules", "rules");
  const expected = normalJson(expectedPermissions ?? test.expectedPrincipals ?? []);
  return compare({ expected: JSON.stringify(asHere(expected)), got: JSON.stringify(got) });
}

function translated(test: ModelCase, rule: WrittenRule): ReturnType<typeof translatedRule> {
  return translatedRule(rule, frameOf(test));
}

function frameOf(test: ModelCase): TranslationFrame {
  const { action = "ALLOW", forTCP = false, trustDomain, aliases } = test;
  const trust: Partial<Trust> = {
    ...(trustDomain !== undefined && { trustDomain }),
    ...(aliases && { trustDomainAliases: aliases }),
  };
  return { action: action === "LOG" ? "AUDIT" : action, level: forTCP ? "tcp" : "http", trust };
}

function members(list: unknown, set: string, name: string): unknown {
  const [outer] = Array.isArray(list) ? list : [];
  const inner = isObject(outer) ? outer[set] : undefined;
  return isObject(inner) ? inner[name] : undefined;
}
