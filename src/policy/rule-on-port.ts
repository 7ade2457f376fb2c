/**
 * What is left of a rule on one port: HTTP conditions cannot be asked where bytes are carried as TCP (AP-60..AP-62), and
 * a rule may name other ports. Said of the rule as it is written, so that people see what the engine compiles.
 */
import {
  type AuthorizationAction,
  type AuthorizationRule,
  OPERATION_FIELDS,
  SOURCE_FIELDS,
} from "../api/authorization-policy.ts";
import type { TrafficProtocol } from "./authorization-rule.ts";
import { conditionAttribute, OPERATION_RULE_FIELDS, SOURCE_RULE_FIELDS } from "./rule-field.ts";

export interface PortAsJudged {
  readonly containerPort: number;
  readonly protocol: TrafficProtocol;
}

export type RuleOnPort =
  | { readonly effect: "as-written" }
  /** It names ports, and not this one. */
  | { readonly effect: "other-port" }
  /** An ALLOW rule with HTTP conditions matches nothing here (AP-61). */
  | { readonly effect: "never"; readonly httpFields: readonly string[] }
  /** Any other rule loses its HTTP conditions, and matches more (AP-62). */
  | {
      readonly effect: "widened";
      readonly httpFields: readonly string[];
      readonly rule: AuthorizationRule;
    };

export function ruleOnPort(
  rule: AuthorizationRule,
  {
    action,
    port: { containerPort, protocol },
  }: { readonly action: AuthorizationAction; readonly port: PortAsJudged },
): RuleOnPort {
  if (excludesPort(rule, String(containerPort))) return { effect: "other-port" };
  const httpFields = protocol === "http" ? [] : httpFieldsOf(rule);
  if (httpFields.length === 0) return { effect: "as-written" };
  if (action === "ALLOW") return { effect: "never", httpFields };
  return { effect: "widened", httpFields, rule: withoutHttp(rule) };
}

/** Whether no alternative of `to`, or a condition, leaves the port in. */
function excludesPort({ to, when }: AuthorizationRule, port: string): boolean {
  const excluded =
    to.length > 0 &&
    to.every(
      ({ ports, notPorts }) =>
        (ports !== undefined && !ports.includes(port)) || notPorts?.includes(port) === true,
    );
  return (
    excluded ||
    when.some(
      ({ key, values, notValues }) =>
        key === "destination.port" &&
        ((values.length > 0 && !values.includes(port)) || notValues.includes(port)),
    )
  );
}

function httpFieldsOf({ from, to, when }: AuthorizationRule): string[] {
  const fields = [
    ...SOURCE_FIELDS.filter((name) => isHttpSource(name) && from.some((one) => one[name])),
    ...OPERATION_FIELDS.filter((name) => isHttpOperation(name) && to.some((one) => one[name])),
    ...when.filter(({ key }) => isHttpKey(key)).map(({ key }) => key),
  ];
  return [...new Set(fields)];
}

function withoutHttp({ line, from, to, when }: AuthorizationRule): AuthorizationRule {
  return {
    line,
    from: from.map((source) => pick(source, (name) => !isHttpSource(name))),
    to: to.map((operation) => pick(operation, (name) => !isHttpOperation(name))),
    when: when.filter(({ key }) => !isHttpKey(key)),
  };
}

function pick<Name extends string>(
  values: { readonly [name in Name]?: readonly string[] },
  keep: (name: Name) => boolean,
): { readonly [name in Name]?: readonly string[] } {
  const kept: { [name in Name]?: readonly string[] } = {};
  for (const name in values) if (keep(name)) kept[name] = values[name];
  return kept;
}

function isHttpSource(name: keyof typeof SOURCE_RULE_FIELDS): boolean {
  return SOURCE_RULE_FIELDS[name].attribute.layer === "http";
}

function isHttpOperation(name: keyof typeof OPERATION_RULE_FIELDS): boolean {
  return OPERATION_RULE_FIELDS[name].attribute.layer === "http";
}

function isHttpKey(key: string): boolean {
  return conditionAttribute(key)?.layer === "http";
}
