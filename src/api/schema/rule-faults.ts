/** Which rules of its schema a value breaks; its structure must be sound. */
import { quoted } from "../quoted.ts";
import type { YamlNode } from "../yaml-documents.ts";
import { type RuleValue, ruleHolds } from "./cel-rule.ts";
import type { Rule } from "./rule.ts";
import { ruleValue } from "./rule-value.ts";
import type { Schema } from "./schema.ts";

export interface RuleFault {
  readonly problem: string;
  /** The field it is told at; absent: at the value itself. */
  readonly field: string | undefined;
}

export function ruleFaults(schema: Schema, node: YamlNode): readonly RuleFault[] {
  if (schema.rules === undefined) return [];
  const self = ruleValue(schema, node);
  return schema.rules
    .filter((rule) => isConcerned(rule, self) && !ruleHolds(rule, self))
    .map((rule) => ({ problem: inWords(rule, node), field: fieldOf(rule, self) }));
}

/** Told where the path ends with the key already: the words need not repeat it. */
export function keyFaults(rules: readonly Rule[], key: string): readonly string[] {
  return rules
    .filter((rule) => !ruleHolds(rule, key))
    .map(({ problem }) => problem.replace("{value} ", ""));
}

function isConcerned(rule: Rule, self: RuleValue): boolean {
  return rule.about === undefined || fieldOf(rule, self) !== undefined;
}

function fieldOf({ about = [] }: Rule, self: RuleValue): string | undefined {
  return self instanceof Map ? about.findLast((field) => self.has(field)) : undefined;
}

function inWords({ problem }: Rule, node: YamlNode): string {
  if (node.type !== "scalar") return problem;
  const value = typeof node.value === "string" ? quoted(node.value) : node.text;
  return problem.replace("{value}", () => value);
}
