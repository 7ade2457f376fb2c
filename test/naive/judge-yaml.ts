/** Asks the interpreter about policies as users write them. */
import assert from "node:assert/strict";
import { parseResources } from "../../src/api/parse-resources.ts";
import { PLAIN_CONNECTION, PLAIN_REQUEST, type TrafficFacts } from "../kit/traffic-facts.ts";
import type { TrustDomains } from "./asked.ts";
import { interpret, type NaiveDecision } from "./interpret.ts";
import { policiesOf } from "./select-policies.ts";
import { trafficOf } from "./traffic-of-facts.ts";

export const MESH: TrustDomains = { trustDomain: "cluster.local", trustDomainAliases: [] };

export const SLEEP: TrafficFacts = {
  connection: { ...PLAIN_CONNECTION, principal: "spiffe://cluster.local/ns/default/sa/sleep" },
  request: PLAIN_REQUEST,
};

/** The same caller on a port that carries no HTTP. */
export const SLEEP_TCP: TrafficFacts = { connection: SLEEP.connection };

/**
 * @param yaml what is different in each policy; its namespace is `default` if it says nothing
 * @throws AssertionError if a policy is refused
 */
export function judgeYaml(
  yaml: string,
  facts: TrafficFacts,
  trust: TrustDomains = MESH,
): NaiveDecision {
  const { resources, issues } = parseResources(yaml, "policies.yaml");
  assert.deepEqual(issues, []);
  const workload = { namespace: "default", labels: { app: "api" }, rootNamespace: "istio-system" };
  return interpret(policiesOf(workload, resources), trafficOf(facts), { trust });
}

export interface WrittenPolicy {
  readonly name?: string;
  readonly namespace?: string;
  readonly action?: string;
  readonly dryRun?: string;
  /** One a line, as the lists of `rules:` are written in one line; absent: no rules. */
  readonly rules?: readonly string[];
}

export function policyYaml(policy: WrittenPolicy): string {
  const { name = "policy", namespace = "default", action = "ALLOW", dryRun, rules } = policy;
  return [
    "---",
    "apiVersion: security.istio.io/v1",
    "kind: AuthorizationPolicy",
    "metadata:",
    `  name: ${name}`,
    `  namespace: ${namespace}`,
    ...(dryRun === undefined ? [] : ["  annotations:", `    istio.io/dry-run: "${dryRun}"`]),
    "spec:",
    `  action: ${action}`,
    ...(action === "CUSTOM" ? [`  provider: {name: ${name}}`] : []),
    ...(rules === undefined ? [] : ["  rules:", ...rules.map((rule) => `    - ${rule}`)]),
    "",
  ].join("\n");
}
